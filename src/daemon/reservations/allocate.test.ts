import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { parseAddress } from '../../addresses/ipv4.ts';
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import { parseHash, type Slot } from '../../names.ts';
import {
  type AllocationRequest,
  allocate,
  mergeUsed,
  type UsedResources,
  usedByInstances,
} from './allocate.ts';
import type { Bridge } from './bridge.ts';

const nothing: UsedResources = {
  names: new Set(),
  hostNames: new Set(),
  macs: new Set(),
  addresses: new Set(),
  idmapBases: new Map(),
};
const bridge: Bridge = {
  name: 'coibr0',
  gateway: '10.77.0.1',
  prefixLength: 22,
  free: [
    { from: number('10.77.0.2'), to: number('10.77.2.254') },
    { from: number('10.77.3.251'), to: number('10.77.3.254') },
  ],
};
const ids = { from: 1_000_000, count: 1_000_000_000 };
const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`), { size: 'max' });

function number(text: string): number {
  return parseAddress(text) ?? assert.fail(text);
}

function wanted(
  more: Partial<AllocationRequest['request']> & { uid?: number; id?: string } = {},
): AllocationRequest {
  const { uid = 1000, id = 'an id', ...request } = more;
  return {
    request: {
      prefix: 'coi-',
      hash: parseHash('0123abcd'),
      slot: { kind: 'auto' },
      workspace: '/home/u/project',
      ...request,
    },
    ownerUid: uid,
    id,
  };
}

function taking(name: string, more: Partial<UsedResources> = {}): UsedResources {
  return { ...nothing, names: new Set([name]), ...more };
}

test('successive reservations share no name, interface, MAC or address', () => {
  const request = fc.record({
    hash: hex(8).map(parseHash),
    id: fc.uuid(),
    uid: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
      let taken = nothing;
      const seen = new Set<string>();
      for (const one of requests) {
        const got = attempt(() => allocate(wanted(one), taken, bridge, ids));
        if (!got) continue;
        for (const what of [got.container, got.hostName, got.mac, got.address]) {
          assert.ok(!seen.has(what), what);
          seen.add(what);
        }
        taken = mergeUsed([
          taken,
          {
            names: new Set([got.container]),
            hostNames: new Set([got.hostName]),
            macs: new Set([got.mac]),
            addresses: new Set([got.address]),
            idmapBases: new Map([[got.idmapBase, `${one.uid}:/home/u/project`]]),
          },
        ]);
      }
    }),
  );
});

test('reserved names and addresses have forms that Incus and the kernel accept', () => {
  fc.assert(
    fc.property(fc.uuid(), hex(8).map(parseHash), fc.nat(70_000), (id, hash, uid) => {
      const got = allocate(wanted({ id, hash, uid }), nothing, bridge, ids);
      assert.match(got.hostName, /^coi[0-9a-f]{10}$/);
      assert.match(got.mac, /^10:66:6a(:[0-9a-f]{2}){3}$/);
      const address = number(got.address);
      assert.ok(bridge.free.some(({ from, to }) => from <= address && address <= to));
      assert.ok(got.idmapBase >= ids.from + 65_536);
      assert.ok(got.idmapBase + 65_536 <= ids.from + ids.count);
      assert.equal((got.idmapBase - ids.from) % 65_536, 0);
    }),
  );
});

test('auto takes the lowest free slot, and a requested slot that is taken only moves up', () => {
  const taken = { ...nothing, names: new Set(['coi-0123abcd-1', 'coi-0123abcd-3']) };
  assert.equal(allocate(wanted(), taken, bridge, ids).slot, 2);
  const from = (slot: number) => ({ slot: { kind: 'from' as const, slot: slot as Slot } });
  assert.equal(allocate(wanted(from(3)), taken, bridge, ids).slot, 4);
  assert.equal(allocate(wanted(from(2)), taken, bridge, ids).container, 'coi-0123abcd-2');
});

test('auto allocates up to ten containers per workspace; a higher slot must be requested', () => {
  const ten = Array.from({ length: 10 }, (_, at) => `coi-0123abcd-${at + 1}`);
  const taken = { ...nothing, names: new Set([...ten, 'coi-0123abcd-11']) };
  const from = (slot: number) => wanted({ slot: { kind: 'from', slot: slot as Slot } });
  assert.throws(() => allocate(wanted(), taken, bridge, ids), isCode('slot-taken'));
  assert.throws(() => allocate(from(10), taken, bridge, ids), isCode('slot-taken'));
  assert.equal(allocate(from(11), taken, bridge, ids).container, 'coi-0123abcd-12');
  const last = { ...nothing, names: new Set(['coi-0123abcd-99']) };
  assert.throws(() => allocate(from(99), last, bridge, ids), isCode('slot-taken'));
});

test('a container with a requested name is refused if it exists', () => {
  const request = wanted({ container: 'mine' as never });
  assert.equal(allocate(request, nothing, bridge, ids).container, 'mine');
  assert.throws(() => allocate(request, taking('mine'), bridge, ids), isCode('slot-taken'));
});

test('ids of an owner and workspace stay the same whatever else is taken', () => {
  const first = allocate(wanted(), nothing, bridge, ids).idmapBase;
  const shared = taking('other', { idmapBases: new Map([[first, '1000:/home/u/project']]) });
  assert.equal(allocate(wanted(), shared, bridge, ids).idmapBase, first);
  const foreign = taking('other', { idmapBases: new Map([[first, '1001:/home/u/project']]) });
  assert.notEqual(allocate(wanted(), foreign, bridge, ids).idmapBase, first);
});

test('exhausted addresses and ids are errors', () => {
  const small = { ...bridge, free: [{ from: 5, to: 5 }] };
  assert.equal(allocate(wanted(), nothing, small, ids).address, '0.0.0.5');
  const taken = { ...nothing, addresses: new Set(['0.0.0.5']) };
  assert.throws(() => allocate(wanted(), taken, small, ids), isCode('coid-failed'));
  assert.throws(
    () => allocate(wanted(), nothing, bridge, { from: 1_000_000, count: 65_536 }),
    isCode('coid-failed'),
  );
});

test('existing instances reserve their names, interfaces, MACs, addresses and ids', () => {
  const config = sessionConfig({
    owner: 1003,
    mounts: { ownerUid: 1003, ownerGid: 1003, idmapBase: 2_000_000 },
  });
  const eth0 = {
    type: 'nic',
    host_name: 'coi1',
    hwaddr: '10:66:6A:00:00:01',
    'ipv4.address': '10.0.0.9',
  };
  const plain = { 'volatile.eth0.hwaddr': '10:66:6a:00:00:02', 'volatile.idmap.base': '1065536' };
  const taken = usedByInstances([
    { name: 'a', config, expanded_devices: { eth0, root: { type: 'disk' } } },
    { name: 'b', config: plain, expanded_devices: { eth0: { type: 'nic' } } },
  ] as unknown as Instance[]);
  assert.deepEqual([...taken.names], ['a', 'b']);
  assert.deepEqual([...taken.hostNames], ['coi1']);
  assert.deepEqual([...taken.macs], ['10:66:6a:00:00:01', '10:66:6a:00:00:02']);
  assert.deepEqual([...taken.addresses], ['10.0.0.9']);
  assert.deepEqual(
    [...taken.idmapBases],
    [
      [2_000_000, '1003:/w'],
      [1_065_536, 'b'],
    ],
  );
});

function isCode(code: string) {
  return (error: unknown) => error instanceof CoiError && error.code === code;
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof CoiError && error.code === 'slot-taken');
    return undefined;
  }
}
