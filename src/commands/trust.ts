// coi trust: approves what the project's own configuration would loosen, exactly as it stands now.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { approvals, writeApprovals } from '../config/trust-store.ts';
import { hostFiles } from '../host/files.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig } from './config.ts';
import { flagsOf } from './global.ts';

interface Options extends GlobalOptions {
  list?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--list', 'list the approved files')
    .option('--json', 'with --list: as JSON')
    .option('-f, --force', 'do not ask')
    .option('-y, --yes', 'the same as --force')
    .addHelpText(
      'after',
      "\nMounts from outside of the workspace, forwarded variables, an open network, ports, sockets and the like wait in a\nproject's .coi/config.toml until they are approved here. Any change of them has to be approved anew.",
    )
    .action(() => trust(app, flagsOf<Options>(command)));
}

async function trust(app: App, options: Options): Promise<void> {
  const { home, uid, gid } = app.user;
  if (options.list) return list(app, options.json ?? false);
  const { waiting, untrusted } = await lookedUpConfig(app, options);
  if (waiting.length === 0) return app.io.print('Nothing waits for approval here.');
  app.io.print(
    [
      'To be approved:',
      ...waiting.map(({ source, line, text }) => `  ${source}:${line}: ${text}`),
    ].join('\n'),
  );
  if (app.io.interactive && !options.force && !options.yes && !(await app.io.confirm('Approve?')))
    return app.io.print('Cancelled.');
  // Read again just before writing, so that an approval made meanwhile is kept; what is approved is what was shown.
  const approved = new Map(approvals(home, hostFiles));
  for (const { path, digest } of untrusted) approved.set(path, digest);
  writeApprovals(home, approved, { uid, gid }, hostFiles);
  app.io.print(`Approved ${untrusted.map(({ path }) => path).join(', ')}`);
}

function list(app: App, json: boolean): void {
  const approved = approvals(app.user.home, hostFiles);
  const paths = [...approved.keys()].sort();
  if (json) {
    app.io.printJson(paths.map((path) => ({ path, digest: approved.get(path) })));
    return;
  }
  app.io.print(
    paths.length === 0
      ? 'No approved files.'
      : [
          'Approved files:',
          ...paths.map((path) => `  ${path}${hostFiles.exists(path) ? '' : ' (gone)'}`),
        ].join('\n'),
  );
}
