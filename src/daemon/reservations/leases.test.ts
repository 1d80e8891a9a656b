import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance, OperationData } from '../../incus/shapes.ts';
import { extendWhileCreating, extensionMs, type Lease, Leases } from './leases.ts';

const id = '00000000-0000-4000-8000-000000000001';
const container = 'coi-1a2b3c4d-1';

function leases(use: (made: Leases) => Promise<void> | void) {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'coi-leases-'));
    try {
      const made = new Leases(directory);
      made.load(0);
      const reservation = { id, container } as Lease['reservation'];
      made.add({ reservation, expiresMs: 60_000 } as Lease);
      await use(made);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

/** An Incus with those operations for the container, and the container with mounts of that id. */
function incus(tasks: readonly OperationData[], mountsId?: string) {
  const config = sessionConfig({
    mounts: { id: mountsId ?? '', runDir: '/run/coi-test' },
    phase: 'starting',
  });
  const found = { instance: { name: container, config } as unknown as Instance };
  return {
    query: async () => ({ running: tasks }),
    instance: async () => (mountsId ? found : undefined),
  } as unknown as Incus;
}

const making = {
  ...{ id: 'op', class: 'task', status_code: 103 },
  resources: { instances: [`/1.0/instances/${container}`] },
} as unknown as OperationData;

test(
  'a container that was created and deleted ends its reservation',
  leases((made) => {
    assert.equal(made.handleEvent('instance-created', container), false);
    assert.equal(made.handleEvent('instance-deleted', 'coi-1a2b3c4d-2'), false);
    assert.equal(made.handleEvent('instance-deleted', container), true);
    assert.equal(made.get(id)?.expiresMs, 0);
  }),
);

test(
  'deletion of an earlier container of that name does not end the reservation',
  leases((made) => {
    assert.equal(made.handleEvent('instance-deleted', container), false);
    assert.equal(made.get(id)?.expiresMs, 60_000);
  }),
);

test(
  'a reservation is kept while its container is being created or exists, and not otherwise',
  leases(async (made) => {
    const isKept = (one: Incus) => {
      const signal = new AbortController().signal;
      return extendWhileCreating({ incus: one, leases: made, elapsedMs: () => 70_000, signal }, id);
    };
    assert.equal(await isKept(incus([])), false);
    assert.equal(made.get(id)?.expiresMs, 60_000);
    assert.equal(await isKept(incus([making])), true);
    assert.equal(made.get(id)?.expiresMs, 70_000 + extensionMs);
    assert.equal(await isKept(incus([], 'of-another')), false);
    assert.equal(await isKept(incus([], id)), true);
  }),
);
