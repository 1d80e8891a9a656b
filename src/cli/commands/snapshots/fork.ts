// coi fork: a session goes on twice. The disk and the conversation are copied while the original is paused.
import type { Command } from 'commander';
import { forkSession } from '../../../app/open-session/fork.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import type { App } from '../../app.ts';
import { flagsOf } from '../../global-options.ts';
import { tellBackground } from '../../output/background.ts';
import { tellWarnings } from '../../output/config-warnings.ts';
import { startRequest } from '../../requests.ts';
import { type AttachOptions, attach } from '../session/attach.ts';

interface Options extends AttachOptions {
  background?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[name]', "container or alias (default: the workspace's only one)")
    .option('--background', 'do not attach to it (without a terminal nothing else is possible)')
    .option('--json', 'print the new session as JSON; do not attach to it')
    .addHelpText(
      'after',
      '\nThe copy has its own slot, address and conversation; both share the workspace. Processes are not copied: the\nagent is started again and goes on with the conversation.',
    )
    .action((name: string | undefined) => fork(app, flagsOf<Options>(command), name));
}

async function fork(app: App, options: Options, word: string | undefined): Promise<void> {
  const started = startRequest(app, options);
  const source = await oneContainer(app, started, word);
  const request = { ...started, attaches: !options.background };
  const { container, slot, session, workspace, tmuxName } = await forkSession(
    app,
    request,
    source,
    {
      loaded: (resolved) => tellWarnings(app, resolved),
      made: (name) => app.io.tell(`Forked ${source.name} to ${name}`),
    },
  );
  if (options.json)
    app.io.printJson({
      container,
      slot,
      session_id: session,
      tmux_session: tmuxName,
      workspace,
      forked_from: source.name,
    });
  else if (!options.background && app.io.interactive) await attach(app, options, container);
  else if (!options.background && !app.io.interactive)
    app.io.tell(
      `There is no terminal here, so it runs in the background. Attach: coi attach ${container}`,
    );
  else tellBackground(app, container);
}
