// Container logs: files of the predecessor's supervisor, or the container's journal.
import { hostFiles } from '../host/fs/host-files.ts';
import type { PipedExec } from '../incus/client.ts';
import type { AppContext } from './context.ts';

/** Prints the two log files of the predecessor's supervisor. Returns false if neither exists. */
export function printLogFiles(
  app: AppContext,
  name: string,
  lines: number,
  print: (source: LogSource, texts: readonly string[]) => void,
): boolean {
  if (!/^[A-Za-z0-9-]+$/.test(name)) return false;
  using directory = hostFiles.open(`${app.user.home}/.coi/logs`);
  const text = (kind: string) =>
    directory?.read(`${name}.${kind}.log`, { maxBytes: logMaxBytes })?.text;
  const [out, err] = [text('stdout'), text('stderr')];
  if (out === undefined && err === undefined) return false;
  const errors = linesOf(err).slice(-lines);
  const left = lines - errors.length;
  print('stdout', left > 0 ? linesOf(out).slice(-left) : []);
  print('stderr', errors);
  return true;
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((line) => line !== '');
}

/** Prints whole lines as they come. Returns the exit status, or 0 after an interrupt. */
export async function printExecOutput(
  app: AppContext,
  exec: PipedExec,
  print: (texts: readonly string[]) => void,
): Promise<number> {
  exec.stdin.end();
  let rest = '';
  exec.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const whole = (rest + chunk).split('\n');
    rest = whole.pop() ?? '';
    print(whole);
  });
  exec.stderr.setEncoding('utf8').on('data', (chunk: string) => app.report.info(chunk.trimEnd()));
  const interrupted = new Promise<number>((resolve) =>
    app.signal.addEventListener('abort', () => resolve(0), { once: true }),
  );
  try {
    return await Promise.race([exec.status, interrupted]);
  } finally {
    if (rest !== '') print([rest]);
    exec.close();
  }
}

export type LogSource = 'stdout' | 'stderr' | 'journal';

const logMaxBytes = 64 * 2 ** 20;
