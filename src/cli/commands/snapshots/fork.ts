// `coi fork`: duplicates a session. The disk and the conversation are copied while the original is paused.
import type { Command } from 'commander';
import { forkSession } from '../../../app/open-session/fork.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import type { App } from '../../app.ts';
import { mergedOptions } from '../../global-options.ts';
import { reportBackground } from '../../output/background.ts';
import { reportWarnings } from '../../output/config-warnings.ts';
import { startRequest } from '../../requests.ts';
import { type AttachOptions, attach } from '../session/attach.ts';

interface Options extends AttachOptions {
  background?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[name]', 'container name or alias (default: the only one of the workspace)')
    .option('--background', 'do not attach to it (always so without a terminal)')
    .option('--json', 'print the new session as JSON and do not attach to it')
    .addHelpText(
      'after',
      '\nThe copy has its own slot, address and conversation; both share the workspace. Processes are not copied: the\nagent is restarted and resumes the conversation.',
    )
    .action((name: string | undefined) => fork(app, mergedOptions<Options>(command), name));
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
      loaded: (resolved) => reportWarnings(app, resolved),
      made: (name) => app.io.info(`Forked ${source.name} to ${name}`),
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
    app.io.info(`Without a terminal it runs in the background. Attach: coi attach ${container}`);
  else reportBackground(app, container);
}
