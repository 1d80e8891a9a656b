// `coi login`: the shared logins, the sessions with a different one, and a way to share such a login.
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { list } from './login-list.ts';
import { takeLogin } from './login-take.ts';

export function register(command: Command, app: App): void {
  command.addHelpText(
    'after',
    "\nAll sessions of a user share the logins of the user's own agents: after one renews a login, the others have it within a\nsecond. A login of another account stays in its session until `coi login take` makes it the shared one.",
  );
  command
    .command('list')
    .description('list the shared logins, and the sessions that use a different one')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(app, options.json ?? false));
  command
    .command('take')
    .description("use a session's login on the host and in all sessions")
    .argument(
      '<session>',
      'session id (or the beginning of it), container or alias; `host` for your own login, if it changed',
    )
    .option('-y, --yes', 'skip the confirmation prompt')
    .action((word: string, { yes }: { yes?: boolean }) =>
      takeLogin(app, { ...mergedOptions<GlobalOptions>(command), yes: yes ?? false }, word),
    );
}
