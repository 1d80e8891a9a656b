// Detects remote file systems that hang. A blocked call cannot be interrupted, so another process makes it, which can be
// killed. It queries what no cache can answer: the file system as a whole, and a name that does not exist.
import { randomUUID } from 'node:crypto';
import { runProgram, runProgramSync } from '../../process/program.ts';
import { MountTable, type RemoteMount } from './remote-mounts.ts';

/** How long a user waits for it. */
const answerMs = 10_000;

/** True if there was an answer of any kind before the signal aborted. */
export async function isResponsive(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  // A process that cannot be killed must not keep this one alive.
  await runProgram(probeCommand(paths), { output: 'nowhere', signal, unref: true });
  return !signal.aborted;
}

export interface HungPath {
  readonly path: string;
  /** The mount that contains the path. */
  readonly mount: RemoteMount;
}

/** The first path that does not answer within the limit; returns at once if all are local. */
export async function findHungPath(
  paths: readonly string[],
  limitMs = answerMs,
): Promise<HungPath | undefined> {
  const remote = remotePaths(paths);
  if (remote.length === 0) return undefined;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const asked = remote.map((one) => isResponsive([one.path], limit.signal));
  const found = await Promise.all(asked);
  clearTimeout(timer);
  return remote.find((_, index) => !found[index]);
}

/** Returns a check whether a path answers; a file system that once exceeded the limit is not queried again. */
export function responsiveCheck(limitMs: number): (path: string) => Promise<boolean> {
  const table = new MountTable();
  const held = new Set<string>();
  return async (path) => {
    if (table.remoteMountsOn(path).some(({ device }) => held.has(device))) return false;
    const found = await findHungPath([path], limitMs);
    if (found) held.add(found.mount.device);
    return !found;
  };
}

/** Queries all remote mounts of this host; returns a check whether a path is on one that does not answer in time. */
export async function hungMountCheck(limitMs: number): Promise<(path: string) => boolean> {
  const table = new MountTable();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  const asked = table.remoteMounts.map(async (mount) =>
    (await isResponsive([mount.point], limit.signal)) ? [] : [mount.device],
  );
  const held = new Set((await Promise.all(asked)).flat());
  clearTimeout(timer);
  return (path) =>
    held.size > 0 && table.remoteMountsOn(path).some(({ device }) => held.has(device));
}

/** The blocking form of `findHungPath`; checks one path after the other. */
export function findHungPathSync(paths: readonly string[]): HungPath | undefined {
  return remotePaths(paths).find(({ path }) => {
    const options = { cwd: '/', limitMs: answerMs, endWith: 'SIGKILL', maxBytes: 0 } as const;
    return runProgramSync(probeCommand([path]), options).failure === 'ETIMEDOUT';
  });
}

/** The paths on a remote mount, without duplicates. */
function remotePaths(paths: readonly string[]): readonly HungPath[] {
  const table = new MountTable();
  return [...new Set(paths)].flatMap((path) => {
    const [mount] = table.remoteMountsOn(path);
    return mount ? [{ path, mount }] : [];
  });
}

function probeCommand(paths: readonly string[]): readonly string[] {
  return ['stat', '-f', '--', ...paths.flatMap((path) => [path, `${path}/.coi-${randomUUID()}`])];
}
