// Pauses all sessions that could write a directory while the host works with its files.
import { type Container, coiContainers } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { whileFrozen } from '../snapshots/while-frozen.ts';

export interface PausedWork<T> {
  readonly result: T;
  /** A session that can write the directory has started meanwhile. */
  readonly isDisturbed: boolean;
}

/** Runs `work` while the containers that mount the directory, one above it or one below it are paused. */
export async function whilePaused<T>(
  app: AppContext,
  directory: string,
  work: () => Promise<T>,
): Promise<PausedWork<T>> {
  const paused = await writersOf(app, directory);
  const known = new Set(paused.map(idOf));
  const pause = async ([first, ...rest]: readonly Container[]): Promise<T> =>
    first ? whileFrozen(app, first, () => pause(rest)) : work();
  const result = await pause(paused);
  const later = await writersOf(app, directory);
  return { result, isDisturbed: !later.every((container) => known.has(idOf(container))) };
}

/** Those that run. A paused one stays so. */
async function writersOf(app: AppContext, directory: string): Promise<readonly Container[]> {
  const instances = await (await app.incus()).instances({ signal: app.signal });
  return coiContainers(instances, '', undefined).filter(
    ({ status, session }) =>
      status === 'Running' &&
      session?.mounts.mounts.some(
        ({ source, readonly }) => !readonly && overlap(source, directory),
      ),
  );
}

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

function idOf({ name, session }: Container): string {
  return `${name} ${session?.mounts.id}`;
}
