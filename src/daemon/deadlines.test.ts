import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '../incus/shapes.ts';
import { recordConfig } from '../session/record.ts';
import { deadlines, maxDurationKey } from './deadlines.ts';

const runDir = '/run/coi';
const started = '2026-01-01T12:00:00Z';

function instance(more: Partial<Instance>, key: string | undefined): Instance {
  const config = recordConfig({
    workspace: '/w',
    target: '/workspace',
    slot: 1,
    tool: 'dummy',
    session: '00000000-0000-4000-8000-000000000000',
    persistent: false,
    alias: undefined,
    profile: undefined,
    owner: 1000,
    network: 'restricted',
    mounts: { id: 'm', runDir, ownerUid: 1000, ownerGid: 1000, idmapBase: 1, mounts: [] },
    phase: 'live',
  });
  return {
    ...{
      name: 'coi-1',
      status: 'Running',
      description: '',
      created_at: started,
      last_used_at: started,
      ephemeral: false,
      profiles: [],
      devices: {},
      expanded_config: {},
      expanded_devices: {},
      architecture: '',
      type: 'container',
      project: 'default',
    },
    config: { ...config, ...(key === undefined ? {} : { [maxDurationKey]: key }) },
    ...more,
  } as Instance;
}

test('the time of a session counts from the start of its container', () => {
  assert.deepEqual(deadlines([instance({}, '90000 graceful')], runDir), [
    { name: 'coi-1', atMs: Date.parse(started) + 90_000, graceful: true },
  ]);
});

test('sessions without a limit, stopped ones and those of another coid have none', () => {
  assert.deepEqual(deadlines([instance({}, undefined)], runDir), []);
  assert.deepEqual(deadlines([instance({ status: 'Stopped' }, '1 force')], runDir), []);
  assert.deepEqual(deadlines([instance({}, '1 force')], '/run/other'), []);
  assert.deepEqual(
    deadlines([instance({ last_used_at: '1970-01-01T00:00:00Z' }, '1 force')], runDir),
    [],
  );
  for (const key of ['', '1', '-1 force', '1 soon', '1e9 force', 'NaN graceful'])
    assert.deepEqual(deadlines([instance({}, key)], runDir), [], key);
});

test('what is paused is not asked, since it could not answer', () => {
  assert.equal(
    deadlines([instance({ status: 'Frozen' }, '1 graceful')], runDir)[0]?.graceful,
    false,
  );
});
