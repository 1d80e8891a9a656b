// Creates, restores and deletes snapshots: Incus stores the container's disk, `~/.coi/snapshots` the conversation.
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import {
  type ContainerRef,
  deleteSnapshotOf,
  findByRef,
  restoreSnapshotOf,
  takeSnapshotOf,
  updateContainer,
} from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import {
  type Container,
  incusGenerationKey,
  type SessionRecord,
  sessionRecord,
} from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { copyParts, restorePart, snapshotStore, storeParts } from './store-copy.ts';
import { whileFrozen } from './while-frozen.ts';

const limitMs = 5 * 60_000;
const guardKeys = [keys.network, keys.policy, keys.monitor];

/** `snap-20260131-235959`, in local time. */
export function defaultName(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `snap-${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

export async function takeSnapshot(
  app: AppContext,
  container: Container,
  name: string,
  stateful: boolean,
): Promise<void> {
  const { name: instance, session } = container;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new CoiError('usage', `invalid snapshot name ${quoted(name)}`, {
      hint: 'Use letters, digits, dots, dashes and _, at most 63.',
    });
  const incus = await app.incus();
  const before = await incus.snapshots(instance, { signal: app.signal });
  if (before.some((one) => one.name === name))
    throw new CoiError('failed', `snapshot '${name}' already exists for container '${instance}'`, {
      hint: 'Choose another name, or delete it first.',
    });
  const ref = refOf(container.instance);
  const take = async () => {
    const made = await takeSnapshotOf(incus, ref, { name, stateful });
    await made.wait({ timeoutMs: limitMs });
  };
  try {
    if (stateful || !session) return await take();
    using store = snapshotStore(app, session.session);
    await removeTree(store, name);
    try {
      await whileFrozen(app, container, async () => {
        using copy = store.makeDirectory(name);
        copyParts(app, storeParts(app, session), copy);
        await keepWhenRestored(app, container);
        await take();
      });
    } catch (error) {
      await removeTree(store, name);
      throw error;
    }
  } catch (error) {
    throw incusFailure(error, `taking a snapshot of ${instance} failed`);
  }
  if (session && !session.persistent)
    app.report.info(
      `${instance} is ephemeral: its snapshots are deleted with it when it stops (\`coi persist\` keeps it)`,
    );
}

/**
 * A restored container is stopped: if its restored keys made it ephemeral, coid would delete it at once. The live one does
 * not change: it stays ephemeral, or becomes persistent while the snapshot is taken.
 */
async function keepWhenRestored(app: AppContext, { session, instance }: Container): Promise<void> {
  if (session?.persistent) return;
  await updateContainer(await app.incus(), refOf(instance), ({ config }) => ({
    config: { [keys.generation]: config[incusGenerationKey] ?? '' },
  }));
}

/**
 * The disk is restored first: without it the old conversation is useless. Throws `session-live` if the container was
 * started meanwhile; its conversation is not changed then.
 */
export async function restoreSnapshot(
  app: AppContext,
  container: Container,
  snapshot: string,
  stateful: boolean,
): Promise<void> {
  const { name, session, instance } = container;
  const incus = await app.incus();
  const ref = refOf(instance);
  try {
    const options = { signal: app.signal };
    const restored = await restoreSnapshotOf(incus, ref, { name: snapshot, stateful }, options);
    await restored.wait({ timeoutMs: limitMs });
    if (session)
      await updateContainer(incus, ref, (now) => ({
        config: {
          ...keepGuards(session, instance, now),
          [keys.persistent]: 'true',
          [keys.generation]: '',
        },
      }));
  } catch (error) {
    throw incusFailure(error, `restoring ${name} failed`);
  }
  if (session) await restoreConversation(app, session, ref, snapshot);
}

/** Incus also restores the old keys; hiding, protection, network policy and monitoring stay as they were last. */
function keepGuards(
  session: SessionRecord,
  before: Instance,
  restored: Instance,
): Record<string, string> {
  const { protect, secrets } = session.mounts;
  const kept = guardKeys.map((key) => [key, before.config[key] ?? ''] as const);
  const mounts = {
    ...(sessionRecord(restored.config)?.mounts ?? session.mounts),
    protect,
    secrets,
  };
  return { ...Object.fromEntries(kept), [keys.mounts]: JSON.stringify(mounts) };
}

async function restoreConversation(
  app: AppContext,
  session: SessionRecord,
  ref: ContainerRef,
  snapshot: string,
): Promise<void> {
  using store = snapshotStore(app, session.session);
  using copy = store.openDirectory(snapshot);
  if (!copy)
    return app.report.warn(
      `snapshot '${snapshot}' has no copy of the conversation, which is not changed`,
    );
  const incus = await app.incus();
  for (const part of storeParts(app, session)) {
    if (!hostFiles.exists(`${copy.path}/${part.name}`)) continue;
    // Never replace files that an agent is using.
    if ((await findByRef(incus, ref, { signal: app.signal }))?.instance.status !== 'Stopped')
      throw new CoiError(
        'session-live',
        `the disk of ${ref.name} is restored, but its conversation is not: the container was started meanwhile`,
        { hint: `Stop it and restore again: coi container stop ${ref.name}` },
      );
    await restorePart(app, `${copy.path}/${part.name}`, part);
  }
}

export async function deleteSnapshot(
  app: AppContext,
  { session, instance }: Container,
  name: string,
): Promise<void> {
  try {
    const deletion = await deleteSnapshotOf(await app.incus(), refOf(instance), name);
    await deletion.wait({ timeoutMs: limitMs });
  } catch (error) {
    throw incusFailure(error, `deleting snapshot '${name}' failed`);
  }
  if (!session) return;
  using store = snapshotStore(app, session.session);
  await removeTree(store, name);
}
