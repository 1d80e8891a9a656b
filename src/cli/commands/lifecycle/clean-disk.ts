// `coi clean --disk`: shows disk usage, and deletes what is safe to delete on request.

import { deleteItem } from '../../../app/disk-use/delete-item.ts';
import { diskFacts } from '../../../app/disk-use/facts.ts';
import { type DiskUse, diskUse } from '../../../app/disk-use/uses.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';
import { formatBytes } from '../../ui/bytes.ts';
import { diskJson, diskText, sum } from '../../ui/views/disk.ts';

export interface DiskOptions extends GlobalOptions {
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const unreadMax = 3;

export async function cleanDisk(app: App, options: DiskOptions): Promise<void> {
  const { io } = app;
  const request = { ...sessionTarget(options), ...configurationRequest(app, options) };
  const facts = await diskFacts(app, request);
  const uses = diskUse(facts);
  const safe = uses.filter(({ take }) => take);
  const printResult = (outcomes: readonly { use: DiskUse; deleted: boolean }[]) => {
    if (options.json) io.printJson(diskJson(uses, outcomes));
  };
  if (!options.json) io.print(diskText(uses).join('\n'));
  const { unread } = facts;
  if (unread.length > 0) {
    const more = unread.length > unreadMax ? `, and ${unread.length - unreadMax} more` : '';
    const some = unread.slice(0, unreadMax).map(quoted).join(', ');
    io.warn(
      `old images are kept because these files cannot be read and may name them: ${some}${more}`,
    );
  }
  if (safe.length === 0 || options.dryRun) return printResult([]);
  if (!options.force) {
    if (options.json || !io.interactive) {
      if (!options.json) io.info('Run `coi clean --disk --force` to delete what is safe.');
      return printResult([]);
    }
    const question = `Delete what is safe to delete (${formatBytes(sum(safe))})?`;
    if (!(await io.confirm(question))) return io.print('Cancelled.');
  }
  const outcomes = [];
  for (const use of safe)
    outcomes.push({ use, deleted: await deleteItem(app, request, use, facts.cleanable) });
  const done = outcomes.filter(({ deleted }) => deleted);
  if (!options.json)
    io.print(`✓ Cleaned ${done.length} item(s), ${formatBytes(sum(done.map(({ use }) => use)))}`);
  printResult(outcomes);
}
