// `coi attach`: opens a terminal on a running session.
import type { Command } from 'commander';
import { attachSession } from '../../../app/terminal/attach-session.ts';
import { outerPrefix, reportNesting } from '../../../app/terminal/tmux-appearance.ts';
import { ExitStatus } from '../../../errors.ts';
import type { BridgeEnd } from '../../../host/terminal/terminal-bridge.ts';
import { TerminalTap } from '../../../host/terminal/terminal-tap.ts';
import { keys } from '../../../instance-keys.ts';
import { alertMessage, alertNow, parseAlert } from '../../../monitor/alert.ts';
import { type ContainerName, parseContainerName } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { showAlert } from '../../output/alert.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';
import { requireTerminal } from '../../require-terminal.ts';
import { endLine, terminalExit } from '../../ui/session-lines.ts';
import { selectTarget } from './attach-target.ts';

export interface AttachOptions extends GlobalOptions {
  bash?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'container name or alias (default: the only running session)')
    .option('--bash', 'open a plain shell instead of the tmux session')
    .action((name: string | undefined) => attach(app, mergedOptions<AttachOptions>(command), name));
}

/** Attaches to the container with this name or alias, or to the only running one. */
export async function attach(
  app: App,
  options: AttachOptions,
  name: string | undefined,
): Promise<void> {
  const found = await selectTarget(app, sessionTarget(options), name);
  if (!found) return;
  requireTerminal(app, 'coi attach');
  await attachTo(app, options, found);
}

export async function attachTo(app: App, options: AttachOptions, found: Container): Promise<void> {
  const container = parseContainerName(found.name);
  const { session, instance } = found;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), found.status);
  const message = alert && alertMessage(container, alert);
  if (message) app.io.info(message);
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
        onOpen: (prefix) => reportNesting(app, outer, prefix),
        showAlert: showAlert(app),
        tap: new TerminalTap((text) => void app.io.stdout.write(text)),
      },
    );
    if (problem) app.io.warn(problem);
    // Detaching and `exit` keep the session running; any other end of the terminal may mean that the session ended.
    if (end.kind === 'lost' || (end.kind === 'exited' && end.status !== 0 && !bash)) {
      const [{ reportOutcome }, { noteEnd }] = await Promise.all([
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
      await reportOutcome(app, left, end);
      if (session) noteEnd(app, session);
    } else if (!bash) reportDetached(app, container, end);
    if (end.kind === 'exited' && bash && ![0, 130, 137, 143].includes(end.status))
      throw new ExitStatus(end.status);
  } catch (error) {
    throw incusFailure(error, `attaching to ${container} failed`);
  }
}

/** The session counts as running without another check: a session that ends closes its terminal differently. */
function reportDetached({ io }: App, container: ContainerName, end: BridgeEnd): void {
  if (!io.briefStderr) return;
  const left = terminalExit(end);
  io.info(
    io.stderrStyle.dim(endLine({ container, outcome: 'running', exit: left, resume: undefined })),
  );
}
