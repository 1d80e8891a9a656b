// Finds the snapshots of a container.
import { CoiError } from '../../errors.ts';
import type { Snapshot } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

export async function snapshotsOf(app: AppContext, { name }: Container): Promise<Snapshot[]> {
  try {
    const found = await (await app.incus()).snapshots(name, { signal: app.signal });
    return found.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
  } catch (error) {
    throw incusFailure(error, `listing the snapshots of ${name} failed`);
  }
}

export async function findSnapshot(
  app: AppContext,
  container: Container,
  name: string,
): Promise<Snapshot> {
  const found = (await snapshotsOf(app, container)).find((one) => one.name === name);
  if (found) return found;
  throw new CoiError(
    'session-not-found',
    `snapshot ${quoted(name).replaceAll('"', "'")} not found for container '${container.name}'`,
    { hint: `Run \`coi snapshot list -c ${container.name}\` to see them.` },
  );
}

export function snapshotReplaced(name: string, { name: container }: Container): CoiError {
  return new CoiError(
    'failed',
    `snapshot '${name}' of '${container}' was deleted or replaced in the meantime; nothing was changed`,
    { hint: `Run \`coi snapshot list -c ${container}\` to see them.` },
  );
}
