// The streams of a command inside joined to those of this program.
import type { App } from '../app.ts';
import type { PipedExec } from '../incus/client.ts';
import { handOverTo, opened } from '../session/handover.ts';

/**
 * Starts run.sh (again where Incus could not), hands over, joins the streams until the command ends and returns its
 * status; an interrupt ends it too. Without `input` the command finds its stdin at an end.
 */
export async function passOn(
  app: App,
  start: () => Promise<PipedExec>,
  handedOver: string,
  { input = true }: { readonly input?: boolean } = {},
): Promise<number> {
  const { stdin, stdout, stderr } = app.io;
  const exec = await started(app, start, handedOver);
  exec.stdout.pipe(stdout, { end: false });
  exec.stderr.pipe(stderr, { end: false });
  if (stdin.isTTY || !input) exec.stdin.end();
  else stdin.pipe(exec.stdin);
  const interrupted = new Promise<never>((_, reject) => {
    const end = () => reject(app.signal.reason);
    // It may have come while the command was being started.
    if (app.signal.aborted) end();
    else app.signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([exec.status, interrupted]);
  } finally {
    stdin.unpipe(exec.stdin);
    stdin.pause();
    stdin.unref?.();
    exec.close();
  }
}

/** The same with both outputs kept, as long as that takes. */
export async function outputOf(
  app: App,
  start: () => Promise<PipedExec>,
  handedOver: string,
  input: string | Uint8Array = '',
): Promise<{ status: number; stdout: Buffer; stderr: Buffer }> {
  const exec = await started(app, start, handedOver);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  // Paused since the hand-over.
  exec.stdout.on('data', (chunk: Buffer) => stdout.push(chunk)).resume();
  exec.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  exec.stdin.end(input);
  try {
    const status = await exec.status;
    return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
  } finally {
    exec.close();
  }
}

function started(
  app: App,
  start: () => Promise<PipedExec>,
  handedOver: string,
): Promise<PipedExec> {
  return opened(async () => {
    const exec = await start();
    exec.stdin.on('error', () => {});
    try {
      const starter = { input: exec.stdin, output: exec.stdout, status: exec.status };
      await handOverTo(starter, handedOver, app.signal);
      return exec;
    } catch (error) {
      exec.close();
      throw error;
    }
  }, app.signal);
}
