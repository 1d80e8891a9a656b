// The streams of a command inside joined to those of this program.
import type { App } from '../app.ts';
import type { PipedExec } from '../incus/client.ts';

/**
 * Writes what is handed over, joins the streams until the command ends and returns its status; an interrupt ends it
 * too. Without `input` the command finds its stdin at an end.
 */
export async function passOn(
  app: App,
  exec: PipedExec,
  handedOver: string,
  { input = true }: { readonly input?: boolean } = {},
): Promise<number> {
  const { stdin, stdout, stderr } = app.io;
  exec.stdin.on('error', () => {});
  exec.stdout.pipe(stdout, { end: false });
  exec.stderr.pipe(stderr, { end: false });
  exec.stdin.write(handedOver);
  if (stdin.isTTY || !input) exec.stdin.end();
  else stdin.pipe(exec.stdin);
  const interrupted = new Promise<never>((_, reject) =>
    app.signal.addEventListener('abort', () => reject(app.signal.reason), { once: true }),
  );
  try {
    return await Promise.race([exec.status, interrupted]);
  } finally {
    stdin.unpipe(exec.stdin);
    stdin.pause();
    stdin.unref?.();
    exec.close();
  }
}
