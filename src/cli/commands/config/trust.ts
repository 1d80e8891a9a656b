// coi trust: approves what the project's own configuration would loosen, exactly as it stands now.
import type { Command } from 'commander';
import { approvals, writeApprovals } from '../../../config/trust/trust-store.ts';
import { waitingText } from '../../../config/trust/waiting.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { waitingValues } from './pending-trust.ts';

interface Options extends GlobalOptions {
  list?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--list', 'list the approved files')
    .option('--json', 'print what was approved (with --list: all that is) as JSON')
    .option('-y, --yes', 'do not ask; without a terminal nothing is approved otherwise')
    .option('-f, --force', 'the same as --yes')
    .addHelpText(
      'after',
      "\nWhat could loosen something waits in a project's .coi (config.toml and profiles) until it is approved here: mounts from outside of\nthe workspace, forwarded variables and those that programs obey, higher limits, an open network, ports, sockets and\nthe like. Any change of them has to be approved anew.",
    )
    .action(() => trust(app, flagsOf<Options>(command)));
}

async function trust(app: App, options: Options): Promise<void> {
  const { home, uid, gid } = app.user;
  if (options.list) return list(app, options.json ?? false);
  const { waiting, untrusted } = await waitingValues(app, options);
  const say = options.json ? app.io.tell : app.io.print;
  const answer = (approved: readonly string[]) => {
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
    say('Nothing waits for approval here.');
    return answer([]);
  }
  say(['To be approved:', ...waiting.map((one) => `  ${oneLine(waitingText(one))}`)].join('\n'));
  const sure = options.force || options.yes;
  // An answer that is piped in may be meant for another question, and "n" is one too.
  if (!sure && !app.io.interactive)
    throw new CoiError('failed', 'nothing was approved: there is no terminal to ask on', {
      hint: 'Look at what is listed above, then `coi trust --yes`.',
    });
  if (!sure && !(await app.io.confirm('Approve?'))) {
    say('Cancelled.');
    return answer([]);
  }
  // Read again just before writing, so that an approval made meanwhile is kept; what is approved is what was shown.
  const approved = new Map(approvals(home, hostFiles));
  for (const { path, digest } of untrusted) approved.set(path, digest);
  writeApprovals(home, approved, { uid, gid }, hostFiles);
  const paths = untrusted.map(({ path }) => path);
  say(oneLine(`Approved ${paths.join(', ')}`));
  answer(paths);
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
          ...paths.map((path) => `  ${oneLine(path)}${hostFiles.exists(path) ? '' : ' (gone)'}`),
        ].join('\n'),
  );
}
