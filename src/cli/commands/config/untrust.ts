// coi untrust: takes approvals of `coi trust` back.
import type { Command } from 'commander';
import { approvals, writeApprovals } from '../../../config/trust/trust-store.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { quoted } from '../../../names.ts';
import { workspacePath } from '../../../session/plan/workspace.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';

interface Options extends GlobalOptions {
  all?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[path]', 'approved file, or its project (default: the current directory)')
    .option('-a, --all', 'all approvals')
    .option('--json', 'print what was taken back as JSON')
    .action((path: string | undefined) => untrust(app, flagsOf<Options>(command), path));
}

function untrust(app: App, options: Options, path: string | undefined): void {
  const { home, uid, gid } = app.user;
  const approved = new Map(approvals(home, hostFiles));
  const wanted = workspacePath(app.cwd, path ?? options.workspace ?? '.');
  const gone = [...approved.keys()].filter(
    (file) => options.all || file === wanted || file.startsWith(`${wanted}/.coi/`),
  );
  for (const file of gone) approved.delete(file);
  if (path !== undefined && gone.length === 0 && !options.all)
    throw new CoiError('failed', `nothing of ${quoted(wanted)} is approved`, {
      hint: 'Run `coi trust --list` to see what is.',
    });
  if (gone.length > 0) writeApprovals(home, approved, { uid, gid }, hostFiles);
  if (options.json) app.io.printJson({ untrusted: gone });
  else for (const file of gone) app.io.print(`No longer approved: ${file}`);
  if (gone.length > 0 || options.json) return;
  if (options.all) app.io.print('No approved files.');
  else app.io.tell(`Nothing of ${wanted} is approved; see \`coi trust --list\`.`);
}
