// `coi trust`: approves the current content of project settings that weaken isolation.
import type { Command } from 'commander';
import { pendingText } from '../../../config/trust/pending.ts';
import { readApprovals, writeApprovals } from '../../../config/trust/trust-store.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { pendingSettings } from './pending-trust.ts';

interface Options extends GlobalOptions {
  list?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--list', 'list the approved files')
    .option('--json', 'print the result as JSON')
    .option('-y, --yes', 'skip the confirmation prompt (required without a terminal)')
    .option('-f, --force', 'same as --yes')
    .addHelpText(
      'after',
      "\nSettings in a project's .coi (config.toml and profiles) that weaken isolation have no effect until they are approved\nhere: mounts from outside the workspace, forwarded variables and variables that change programs, higher limits, an open\nnetwork, ports, sockets and the like. Every change needs a new approval.",
    )
    .action(() => trust(app, mergedOptions<Options>(command)));
}

async function trust(app: App, options: Options): Promise<void> {
  const { home, uid, gid } = app.user;
  if (options.list) return list(app, options.json ?? false);
  const { waiting, untrusted } = await pendingSettings(app, options);
  const print = options.json ? app.io.info : app.io.print;
  const printResult = (approved: readonly string[]) => {
    if (options.json)
      app.io.printJson({
        waiting: waiting.map(({ source, profile, line, text }) => ({
          source,
          profile,
          line,
          text,
        })),
        approved,
      });
  };
  if (waiting.length === 0) {
    print('Nothing to approve.');
    return printResult([]);
  }
  print(
    ['Not yet approved:', ...waiting.map((one) => `  ${oneLine(pendingText(one))}`)].join('\n'),
  );
  const sure = options.force || options.yes;
  // Piped input may be meant for another question, and "n" is an answer, too.
  if (!sure && !app.io.interactive)
    throw new CoiError('failed', 'nothing was approved: no terminal for confirmation', {
      hint: 'Review the list above, then run `coi trust --yes`.',
    });
  if (!sure && !(await app.io.confirm('Approve?'))) {
    print('Cancelled.');
    return printResult([]);
  }
  // Read again just before writing, so that concurrent approvals are kept. Only what was shown is approved.
  const approved = new Map(readApprovals(home, hostFiles));
  for (const { path, digest } of untrusted) approved.set(path, digest);
  writeApprovals(home, approved, { uid, gid }, hostFiles);
  const paths = untrusted.map(({ path }) => path);
  print(oneLine(`Approved ${paths.join(', ')}`));
  printResult(paths);
}

function list(app: App, json: boolean): void {
  const approved = readApprovals(app.user.home, hostFiles);
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
          ...paths.map((path) => `  ${oneLine(path)}${hostFiles.exists(path) ? '' : ' (missing)'}`),
        ].join('\n'),
  );
}
