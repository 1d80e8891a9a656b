// The two daemons that the contract is tested against; leftovers of a run are swept from both.
import { randomBytes } from 'node:crypto';
import type { Incus, Operation } from '../../src/incus/client.ts';
import { incusSocketPath, openIncus } from '../../src/incus/open.ts';
import { startFakeIncus } from '../fakes/incus/server.ts';
import { scripted } from './commands.ts';

export interface DaemonBed extends AsyncDisposable {
  readonly incus: Incus;
  /** Fingerprint of an image that containers start from. */
  readonly fingerprint: string;
  readonly prefix: string;
  /** A name that will be swept: `coit-<random>-label`. */
  name(label: string): string;
}

export interface Daemon {
  readonly name: 'fake' | 'real';
  open(): Promise<DaemonBed>;
}

export const daemons: readonly Daemon[] = [
  {
    name: 'fake',
    open: async () => {
      const fake = await startFakeIncus({ commands: scripted() });
      const { fingerprint } = fake.state.addImage();
      return bench(openIncus({ socketPath: fake.socketPath }), fingerprint, () => fake.close());
    },
  },
  {
    name: 'real',
    open: async () => {
      const incus = openIncus({ socketPath: incusSocketPath(process.env) });
      const alias = process.env['COI_TEST_IMAGE'] ?? 'coi-test';
      const entry = await incus.imageAlias(alias);
      if (!entry)
        throw new Error(`no image ${alias}: the contract needs one that has sh, stty and cat`);
      return bench(incus, entry.target, async () => {});
    },
  },
];

/** Limit for each test, since the real daemon starts and stops containers. */
export const testLimit = { timeout: 60_000 };

export async function finish(started: Promise<Operation>): Promise<Record<string, unknown> | null> {
  return (await (await started).wait()).metadata;
}

function bench(incus: Incus, fingerprint: string, end: () => Promise<void>): DaemonBed {
  const prefix = `coit-${randomBytes(3).toString('hex')}-`;
  return {
    incus,
    fingerprint,
    prefix,
    name: (label) => `${prefix}${label}`,
    [Symbol.asyncDispose]: async () => {
      try {
        await sweep(incus, prefix);
      } finally {
        incus.close();
        await end();
      }
    },
  };
}

async function sweep(incus: Incus, prefix: string): Promise<void> {
  const instances = (await incus.instances()).filter(({ name }) => name.startsWith(prefix));
  for (const { name, status } of instances) {
    if (status !== 'Stopped')
      await finish(incus.changeState(name, { action: 'stop', force: true }));
    if (await incus.instance(name)) await finish(incus.deleteInstance(name));
  }
  for (const { fingerprint, properties, aliases } of await incus.images()) {
    for (const { name } of aliases) if (name.startsWith(prefix)) await incus.deleteImageAlias(name);
    if (properties['coit'] === prefix) await finish(incus.deleteImage(fingerprint));
  }
}
