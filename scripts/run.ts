// Runs one program of a script and says how long it took.
import { spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Taking the types out of a test's modules and compiling them costs half a second for each file of tests. */
const compiled = join(root, 'node_modules/.cache/compiled');

export interface Ran {
  readonly status: number;
  /** Both streams in the order they came; empty when they went straight to ours. */
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs argv in the repository. Its output is kept, goes straight to ours (`show`), or both (`copy`). */
export function run(
  argv: readonly string[],
  options: {
    show?: boolean | 'copy';
    env?: Record<string, string | undefined>;
    timeoutMs?: number;
  } = {},
): Promise<Ran> {
  const [program = '', ...rest] = argv;
  const started = performance.now();
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...options.env },
    stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 30 * 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (options.show === 'copy') process.stderr.write(text);
    });
  }
  return new Promise((settle) => {
    const end = (status: number) =>
      settle({ status, output, elapsedMs: performance.now() - started });
    child.once('error', (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.once('close', (code) => end(code ?? 1));
  });
}

export function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}
