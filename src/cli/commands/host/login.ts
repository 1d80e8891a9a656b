// coi login: which logins the user's agents have, which sessions have others, and how one of those becomes the user's.
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { list } from './login-list.ts';
import { takeLogin } from './login-take.ts';

export function register(command: Command, app: App): void {
  command.addHelpText(
    'after',
    "\nAll sessions of a user share the logins of the user's own agents: whoever renews one, the others have it a second\nlater. A login that belongs to another account stays in its session until it is taken here.",
  );
  command
    .command('list')
    .description('list the logins, and sessions that have another one')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(app, options.json ?? false));
  command
    .command('take')
    .description("make the login of a session the user's, for the host and all sessions")
    .argument(
      '<session>',
      'its id (or the beginning of it), container or alias; `host` for your own, where it changed',
    )
    .option('-y, --yes', 'do not ask')
    .action((word: string, { yes }: { yes?: boolean }) =>
      takeLogin(app, { ...flagsOf<GlobalOptions>(command), yes: yes ?? false }, word),
    );
}
