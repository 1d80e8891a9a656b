// Taking, restoring and dropping snapshots: Incus has the container's disk, `~/.coi/snapshots` the conversation of that moment.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { removeTree } from '../host/remove.ts';
import { quoted } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { type Container, sessionRecord } from '../session/record.ts';
import { whileFrozen } from './frozen.ts';
import { copyParts, putBack, snapshotStore, storeParts } from './store-copy.ts';

const limitMs = 5 * 60_000;
const guardKeys = ['user.coi.network', 'user.coi.policy', 'user.coi.monitor'];

/** `snap-20260131-235959`, in local time. */
export function defaultName(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `snap-${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

export async function takeSnapshot(
  app: App,
  container: Container,
  name: string,
  stateful: boolean,
): Promise<void> {
  const { name: instance, session } = container;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new CoiError('usage', `invalid snapshot name ${quoted(name)}`, {
      hint: 'Letters, digits, dots, dashes and _, at most 63.',
    });
  const incus = await app.incus();
  const before = await incus.snapshots(instance, { signal: app.signal });
  if (before.some((one) => one.name === name))
    throw new CoiError('failed', `snapshot '${name}' already exists for container '${instance}'`, {
      hint: 'Choose another name, or delete it first.',
    });
  const take = async () => {
    const made = await incus.createSnapshot(instance, { name, stateful });
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
        await keptWhenRestored(app, container, take);
      });
    } catch (error) {
      await removeTree(store, name);
      throw error;
    }
  } catch (error) {
    throw incusFailure(error, `taking a snapshot of ${instance} failed`);
  }
  if (session && !session.persistent)
    app.io.tell(
      `${instance} is ephemeral: its snapshots go with it when it stops (see coi persist)`,
    );
}

/** A restored container is stopped; were it ephemeral by its keys of then, coid would delete it that moment. */
async function keptWhenRestored(
  app: App,
  { name, session }: Container,
  take: () => Promise<void>,
): Promise<void> {
  if (session?.persistent) return take();
  const incus = await app.incus();
  const persistent = (value: string) =>
    incus.updateInstance(name, { config: { 'user.coi.persistent': value } });
  await persistent('true');
  try {
    await take();
  } finally {
    await persistent('false');
  }
}

/** The container must be stopped. The disk is restored first: without it the old conversation is of no use. */
export async function restoreSnapshot(
  app: App,
  container: Container,
  name: string,
  stateful: boolean,
): Promise<void> {
  const { name: instance, session } = container;
  const incus = await app.incus();
  try {
    const request = { restore: name, ...(stateful ? { stateful } : {}) };
    const path = `/1.0/instances/${encodeURIComponent(instance)}`;
    if (stateful) await incus.query('PUT', path, request, { signal: app.signal });
    else {
      const restored = await incus.restoreSnapshot(instance, name, { signal: app.signal });
      await restored.wait({ timeoutMs: limitMs });
    }
  } catch (error) {
    throw incusFailure(error, `restoring ${instance} failed`);
  }
  if (!session) return;
  await guardsAsBefore(app, container);
  using store = snapshotStore(app, session.session);
  using copy = store.directory(name);
  if (!copy)
    return app.io.warn(
      `snapshot '${name}' has no copy of the conversation; that one stays as it is`,
    );
  for (const part of storeParts(app, session)) {
    if (hostFiles.exists(`${copy.path}/${part.name}`))
      await putBack(app, `${copy.path}/${part.name}`, part);
  }
}

/** Incus brings the keys of then back as well; what is hidden, protected, reached and watched stays as it was last. */
async function guardsAsBefore(app: App, { name, instance, session }: Container): Promise<void> {
  const incus = await app.incus();
  const found = await incus.instance(name, { signal: app.signal });
  const restored = found && sessionRecord(found.instance.config);
  if (!session || !restored) return;
  const { protect, secrets } = session.mounts;
  const kept = guardKeys.map((key) => [key, instance.config[key] ?? ''] as const);
  const mounts = JSON.stringify({ ...restored.mounts, protect, secrets });
  const config = { ...Object.fromEntries(kept), 'user.coi.mounts': mounts };
  await incus.updateInstance(name, { config }, { signal: app.signal });
}

export async function dropSnapshot(
  app: App,
  { name: instance, session }: Container,
  name: string,
): Promise<void> {
  try {
    const deletion = await (await app.incus()).deleteSnapshot(instance, name);
    await deletion.wait({ timeoutMs: limitMs });
  } catch (error) {
    throw incusFailure(error, `deleting snapshot '${name}' failed`);
  }
  if (!session) return;
  using store = snapshotStore(app, session.session);
  await removeTree(store, name);
}
