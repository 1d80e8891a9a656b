// coi attach: a terminal on a session that runs.
import type { Command } from 'commander';
import { attachSession } from '../../../app/terminal/attach-session.ts';
import { hintOfNesting, outerPrefix } from '../../../app/terminal/tmux-appearance.ts';
import { ExitStatus } from '../../../errors.ts';
import type { BridgeEnd } from '../../../host/terminal/terminal-bridge.ts';
import { keys } from '../../../instance-keys.ts';
import { alertMessage, alertNow, parseAlert } from '../../../monitor/alert.ts';
import { type ContainerName, parseContainerName } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { showAlert } from '../../output/alert.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';
import { needTerminal } from '../../require-terminal.ts';
import { endingLine, leftBy } from '../../ui/story.ts';
import { target } from './attach-target.ts';

export interface AttachOptions extends GlobalOptions {
  bash?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'container name or alias (default: the only running session)')
    .option('--bash', 'a plain shell instead of the tmux session')
    .action((name: string | undefined) => attach(app, flagsOf<AttachOptions>(command), name));
}

/** Opens a terminal on the container of that name or alias, or on the only one that runs. */
export async function attach(
  app: App,
  options: AttachOptions,
  name: string | undefined,
): Promise<void> {
  const found = await target(app, sessionTarget(options), name);
  if (!found) return;
  needTerminal(app, 'coi attach');
  const container = parseContainerName(found.name);
  const { session, instance } = found;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), found.status);
  const message = alert && alertMessage(container, alert);
  if (message) app.io.tell(message);
  const { bash = false } = options;
  const outer = bash ? undefined : outerPrefix(app);
  const request = { ...configurationRequest(app, options), bash, outerPrefix: outer };
  try {
    const { end, problem } = await attachSession(
      app,
      request,
      { ...found, name: container },
      {
        stdin: app.io.stdin,
        stdout: app.io.stdout,
        opening: (prefix) => hintOfNesting(app, outer, prefix),
        showAlert: showAlert(app),
      },
    );
    if (problem) app.io.warn(problem);
    // Detaching and `exit` leave it running; what else ends the terminal may have ended the session.
    if (end.kind === 'lost' || (end.kind === 'exited' && end.status !== 0 && !bash)) {
      const [{ tellOutcome }, { noteEnd }] = await Promise.all([
        import('../../output/session-end.ts'),
        import('../../../app/end-sessions/note-end.ts'),
      ]);
      const left = {
        container,
        reservation: session?.mounts.id,
        workspace: session?.workspace,
        store: session,
        alias: session?.alias,
      };
      await tellOutcome(app, left, end);
      if (session) noteEnd(app, session);
    } else if (!bash) tellLeft(app, container, end);
    if (end.kind === 'exited' && bash && ![0, 130, 137, 143].includes(end.status))
      throw new ExitStatus(end.status);
  } catch (error) {
    throw incusFailure(error, `attaching to ${container} failed`);
  }
}

/** It was not looked at again: what ends a session ends its terminal in another way. */
function tellLeft({ io }: App, container: ContainerName, end: BridgeEnd): void {
  if (!io.brief) return;
  const left = leftBy(end);
  io.tell(
    io.storyStyle.dim(endingLine({ container, outcome: 'running', left, resume: undefined })),
  );
}
