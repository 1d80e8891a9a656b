// Whether a file system answers. Nobody gets out of a call there that is not answered, so another process looks, which can be
// killed. It asks for what no memory of the kernel or of a program has: the whole file system, and a name that is not there.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { MountTable, type RemoteMount } from './remote-mounts.ts';

/** What a user waits for it. */
export const answerMs = 10_000;

/** Whatever the answer is; false if there was none until the signal, which ends the question. */
export function answers(path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { stdio: 'ignore', signal, killSignal: 'SIGKILL' } as const;
    const child = spawn('stat', argumentsFor(path), options);
    // One that cannot be killed must not keep this process from ending.
    child.unref();
    child.once('error', () => resolve(!signal.aborted));
    child.once('exit', () => resolve(!signal.aborted));
  });
}

/** The first mount that those paths lead to and that does not answer within the limit; nothing waits where all is local. */
export async function unanswered(
  paths: readonly string[],
  limitMs = answerMs,
): Promise<RemoteMount | undefined> {
  const table = new MountTable();
  for (const path of new Set(paths)) {
    const [mount] = table.on(path);
    if (!mount) continue;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    const isAnswered = await answers(path, limit.signal);
    clearTimeout(timer);
    if (!isAnswered) return mount;
  }
  return undefined;
}

/** The same of one path for whoever cannot go on without knowing it. */
export function unansweredNow(path: string): RemoteMount | undefined {
  const [mount] = new MountTable().on(path);
  if (!mount) return undefined;
  const { error } = spawnSync('stat', argumentsFor(path), {
    ...{ cwd: '/', stdio: 'ignore', timeout: answerMs, killSignal: 'SIGKILL' },
  });
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT' ? mount : undefined;
}

function argumentsFor(path: string): readonly string[] {
  return ['-f', '--', path, `${path}/.coi-${randomUUID()}`];
}
