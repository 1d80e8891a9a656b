// `coi untrust`: revokes approvals of `coi trust`.
import type { Command } from 'commander';
import { readApprovals, writeApprovals } from '../../../config/trust/trust-store.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { quoted } from '../../../names.ts';
import { workspacePath } from '../../../session/plan/workspace.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

interface Options extends GlobalOptions {
  all?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[path]', 'approved file, or its project (default: the current directory)')
    .option('-a, --all', 'all approvals')
    .option('--json', 'print the result as JSON')
    .action((path: string | undefined) => untrust(app, mergedOptions<Options>(command), path));
}

function untrust(app: App, options: Options, path: string | undefined): void {
  const { home, uid, gid } = app.user;
  const approved = new Map(readApprovals(home, hostFiles));
  const wanted = workspacePath(app.cwd, path ?? options.workspace ?? '.');
  const revoked = [...approved.keys()].filter(
    (file) => options.all || file === wanted || file.startsWith(`${wanted}/.coi/`),
  );
  for (const file of revoked) approved.delete(file);
  if (path !== undefined && revoked.length === 0 && !options.all)
    throw new CoiError('failed', `nothing of ${quoted(wanted)} is approved`, {
      hint: 'Run `coi trust --list` to see the approved files.',
    });
  if (revoked.length > 0) writeApprovals(home, approved, { uid, gid }, hostFiles);
  if (options.json) app.io.printJson({ untrusted: revoked });
  else for (const file of revoked) app.io.print(`No longer approved: ${file}`);
  if (revoked.length > 0 || options.json) return;
  if (options.all) app.io.print('No approved files.');
  else app.io.info(`Nothing of ${wanted} is approved; see \`coi trust --list\`.`);
}
