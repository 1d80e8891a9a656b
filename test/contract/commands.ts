// The commands that the contract runs: argv for the real daemon, and functions for the fake.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { FakeProcess, ScriptedCommand } from '../fakes/incus/exec.ts';

const sh = (script: string) => ['sh', '-c', script];

async function copied({ stdin, stdout }: FakeProcess): Promise<number> {
  for await (const chunk of stdin) if (!stdout.write(chunk)) await once(stdout, 'drain');
  return 0;
}

/** Reads exactly one line. */
async function line(stdin: FakeProcess['stdin']): Promise<string> {
  let text = '';
  while (!/[\r\n]/.test(text)) text += String((await once(stdin, 'data'))[0]);
  return text.trim();
}

const size = (process: FakeProcess) => `${process.size()?.rows} ${process.size()?.columns}\r\n`;

export const argv = {
  succeed: ['true'],
  status: (status: number) => sh(`exit ${status}`),
  bothOutputs: sh('echo out; echo err >&2; exit 7'),
  copy: ['cat'],
  notFound: ['/nonexistent/command'],
  notExecutable: ['/etc/passwd'],
  killItself: sh('kill -9 $$'),
  longSleep: ['sleep', '600'],
  /** Holds a lock while it runs, and reports when it has it. */
  holdLock: sh('exec 9>/tmp/coit-lock; flock 9; echo locked; exec sleep 600'),
  /** Ends when the lock is free. */
  takeLock: ['flock', '/tmp/coit-lock', 'true'],
  ignoreInput: ['head', '-c', '3'],
  manyBytes: ['head', '-c', '8000000', '/dev/zero'],
  environment: sh('printf %s "$COIT_VALUE"'),
  /** On a terminal: prints its size for each line that it reads, ends at `end`. */
  sizes: sh('stty -echo; echo ready; while read l && [ "$l" != end ]; do stty size; done; exit 3'),
} as const;

export const scripted = (): ScriptedCommand[] => [
  ...locks(),
  { argv: argv.succeed, run: () => 0 },
  ...[0, 1, 126, 127, 255].map((status) => ({ argv: argv.status(status), run: () => status })),
  {
    argv: argv.bothOutputs,
    run: ({ stdout, stderr }) => {
      stdout.write('out\n');
      stderr.write('err\n');
      return 7;
    },
  },
  { argv: argv.copy, run: copied },
  { argv: argv.notExecutable, run: () => 126 },
  { argv: argv.killItself, run: () => 137 },
  { argv: argv.longSleep, run: async ({ killed }) => 128 + (await killed) },
  {
    argv: argv.ignoreInput,
    run: async ({ stdin, stdout }) => {
      stdout.write(String((await once(stdin, 'data'))[0]).slice(0, 3));
      return 0;
    },
  },
  {
    argv: argv.manyBytes,
    run: async ({ stdout }) => {
      for (let index = 0; index < 100; index += 1) {
        if (!stdout.write(Buffer.alloc(80_000))) await once(stdout, 'drain');
      }
      return 0;
    },
  },
  {
    argv: argv.environment,
    run: ({ env, stdout }) => {
      stdout.write(env['COIT_VALUE'] ?? '');
      return 0;
    },
  },
  {
    argv: argv.sizes,
    run: async (process) => {
      process.stdout.write('ready\r\n');
      while ((await line(process.stdin)) !== 'end') process.stdout.write(size(process));
      return 3;
    },
  },
];

function locks(): ScriptedCommand[] {
  const executions: Promise<unknown>[] = [];
  const hold = ({ stdout, killed }: FakeProcess) => {
    executions.push(killed);
    stdout.write('locked\n');
    return killed.then((signal) => 128 + signal);
  };
  const take = () => Promise.all(executions).then(() => 0);
  return [
    { argv: argv.holdLock, run: hold },
    { argv: argv.takeLock, run: take },
  ];
}
