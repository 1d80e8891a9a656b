// Whether a file system answers. Nobody gets out of a call there that is not answered, so another process looks, which can be
// killed. It asks for what no memory of the kernel or of a program has: the whole file system, and a name that is not there.
import { randomUUID } from 'node:crypto';
import { runProgram, runProgramNow } from '../../process/program.ts';
import { MountTable, type RemoteMount } from './remote-mounts.ts';

/** What a user waits for it. */
const answerMs = 10_000;

/** Whatever the answer is; false if there was none until the signal, which ends the question. */
export async function answers(paths: readonly string[], signal: AbortSignal): Promise<boolean> {
  // One that cannot be killed must not keep this process from ending.
  await runProgram(questionOf(paths), { output: 'nowhere', signal, isLeft: true });
  return !signal.aborted;
}

export interface Unanswered {
  readonly path: string;
  /** That it leads to. */
  readonly mount: RemoteMount;
}

/** The first of those paths that is not answered within the limit; nothing waits where all is local. */
export async function unanswered(
  paths: readonly string[],
  limitMs = answerMs,
): Promise<Unanswered | undefined> {
  const remote = remoteOf(paths);
  if (remote.length === 0) return undefined;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const asked = remote.map((one) => answers([one.path], limit.signal));
  const found = await Promise.all(asked);
  clearTimeout(timer);
  return remote.find((_, index) => !found[index]);
}

/** Whether a path answers, for one after the other: a file system that did not within the limit is not asked again. */
export function answeringPaths(limitMs: number): (path: string) => Promise<boolean> {
  const table = new MountTable();
  const held = new Set<string>();
  return async (path) => {
    if (table.on(path).some(({ device }) => held.has(device))) return false;
    const found = await unanswered([path], limitMs);
    if (found) held.add(found.mount.device);
    return !found;
  };
}

/** Whether a path leads to one of those of this host that do not answer within the limit. */
export async function heldPaths(limitMs: number): Promise<(path: string) => boolean> {
  const table = new MountTable();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const asked = table.all.map(async (mount) =>
    (await answers([mount.point], limit.signal)) ? [] : [mount.device],
  );
  const held = new Set((await Promise.all(asked)).flat());
  clearTimeout(timer);
  return (path) => held.size > 0 && table.on(path).some(({ device }) => held.has(device));
}

/** The same as `unanswered` for whoever cannot go on without knowing it: asks one after the other, and waits. */
export function unansweredNow(paths: readonly string[]): Unanswered | undefined {
  return remoteOf(paths).find(({ path }) => {
    const options = { cwd: '/', limitMs: answerMs, endWith: 'SIGKILL', maxBytes: 0 } as const;
    return runProgramNow(questionOf([path]), options).failure === 'ETIMEDOUT';
  });
}

/** Those that lead through a remote mount, each once. */
function remoteOf(paths: readonly string[]): readonly Unanswered[] {
  const table = new MountTable();
  return [...new Set(paths)].flatMap((path) => {
    const [mount] = table.on(path);
    return mount ? [{ path, mount }] : [];
  });
}

function questionOf(paths: readonly string[]): readonly string[] {
  return ['stat', '-f', '--', ...paths.flatMap((path) => [path, `${path}/.coi-${randomUUID()}`])];
}
