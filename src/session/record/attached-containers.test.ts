// Attached users, derived from the operations of Incus.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { OperationData } from '../../incus/shapes.ts';
import { containersWithTerminal } from './attached-containers.ts';

const exec = (name: string, change: Partial<OperationData> = {}): OperationData => ({
  id: 'x',
  class: 'websocket',
  description: 'Executing command',
  created_at: '',
  updated_at: '',
  status: 'Running',
  status_code: 103,
  resources: { instances: [`/1.0/instances/${name}?project=other`] },
  metadata: { interactive: true },
  may_cancel: false,
  err: '',
  ...change,
});

it('a terminal is attached if an interactive command is running', () => {
  const found = containersWithTerminal([
    exec('coi-a-1'),
    exec('coi-a-2', { metadata: { interactive: false } }),
    exec('coi-a-3', { status: 'Success' }),
    exec('coi-a-4', { class: 'task', metadata: null }),
    exec('coi-a-5', { resources: null }),
  ]);
  assert.deepEqual([...found], ['coi-a-1']);
});
