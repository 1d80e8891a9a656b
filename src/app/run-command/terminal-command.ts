// Runs a command in a container on a terminal.
import { CoiError } from '../../errors.ts';
import { bridgeTerminal, terminalSize } from '../../host/terminal/terminal-bridge.ts';
import type { ExecRequest } from '../../incus/client.ts';
import {
  handOver,
  retryWhileNotRun,
  terminalStarter,
} from '../../session/lifecycle/secret-handover.ts';
import type { AppContext } from '../context.ts';

/** Throws `failed` with its exit status if that is not 0. */
export async function runOnTerminal(
  app: AppContext,
  { stdin, stdout }: { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream },
  name: string,
  request: ExecRequest,
  handed: string,
): Promise<void> {
  const incus = await app.incus();
  const exec = await retryWhileNotRun(async () => {
    const size = terminalSize(stdout);
    const made = await incus.execTerminal(name, { ...request, ...size }, { signal: app.signal });
    try {
      await handOver(terminalStarter(made), handed, app.signal);
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  }, app.signal);
  // A script may ask for a terminal without having one itself; then ^D passes on the end of its input.
  const ended = () => void exec.stream.write('\u0004');
  if (!stdin.isTTY) stdin.once('end', ended);
  const end = await bridgeTerminal({ stdin, stdout }, exec, app.signal);
  stdin.off('end', ended);
  exec.close();
  if (end.kind === 'lost') throw end.error;
  if (end.kind === 'interrupted') throw app.signal.reason;
  if (end.status !== 0) throw new CoiError('failed', `command failed: exit status ${end.status}`);
}
