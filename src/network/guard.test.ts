import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AddressRange, parseNetwork } from '../addresses/ipv4.ts';
import type { Nft } from '../host/net/nft.ts';
import type { TimedElement } from '../host/net/nft-netlink.ts';
import { Guard } from './guard.ts';
import type { GuardedPort } from './guarded-port.ts';
import { defaultPolicy, networkPolicy } from './policy.ts';

const range = (text: string): AddressRange => parseNetwork(text) ?? { from: 0, to: 0 };

function port(index: number, address = `10.77.2.${index}`): GuardedPort {
  return {
    hostName: `coi${index}`,
    bridge: 'br0',
    gateway: '10.77.0.1',
    mac: `10:66:6a:00:00:0${index}`,
    address,
    policy: networkPolicy(defaultPolicy('restricted')),
    permits: [],
  };
}

/** A kernel that accepts and records every transaction; `fails` makes it refuse the next ones. */
function bed(attached: { ranges: AddressRange[] } = { ranges: [] }) {
  const transactions: string[] = [];
  const put: TimedElement[] = [];
  const state = { fails: 0, nowMs: 0, loses: false };
  const kept = new Set<string>();
  const nft: Nft = {
    apply: async (commands, isApplied) => {
      if (commands.length === 0) return;
      if (state.fails > 0) {
        state.fails -= 1;
        throw new Error('refused');
      }
      transactions.push(JSON.stringify(commands));
      const [mark] = state.loses ? [] : [...JSON.stringify(commands.at(-1)).matchAll(/\d+/g)];
      if (mark) kept.add(mark[0]);
      if (!isApplied?.()) throw new Error('lost');
    },
    table: async () => [],
  };
  const guard = new Guard({
    nft,
    elements: {
      put: (elements) => void put.push(...elements),
      has: ({ key }) => kept.has(`${key.readUInt32LE()}`),
    },
    table: 'coi',
    dnsPort: 1,
    attached: () => attached.ranges,
    elapsedMs: () => state.nowMs,
    onRepaired: () => undefined,
  });
  return { guard, transactions, put, state };
}

test('simultaneous requests share one transaction', async () => {
  const { guard, transactions } = bed();
  await guard.start([]);
  await Promise.all([1, 2, 3, 4, 5].map((index) => guard.put(port(index))));
  assert.equal(transactions.length, 2);
  for (const index of [1, 2, 3, 4, 5]) assert.ok(transactions[1]?.includes(`coi${index}`));
});

test('a refused transaction is followed by a full one; if that fails too, the port is reported as unguarded', async () => {
  const { guard, transactions, state } = bed();
  await guard.start([port(1)]);
  state.fails = 1;
  await guard.put(port(2));
  assert.match(transactions.at(-1) ?? '', /"delete":\{"table".*coi1.*coi2/s);
  state.fails = 2;
  await assert.rejects(guard.put(port(3)));
  assert.equal(guard.get('coi3'), undefined);
  await guard.put(port(4));
  assert.doesNotMatch(transactions.at(-1) ?? '', /coi3/);
});

test('a transaction that the kernel does not confirm is not applied', async () => {
  const { guard, state } = bed();
  await guard.start([]);
  state.loses = true;
  await assert.rejects(guard.put(port(1)), /lost/);
  assert.equal(guard.get('coi1'), undefined);
  state.loses = false;
  await guard.put(port(1));
});

test('an address given to another session keeps nothing of the previous one', async () => {
  const { guard, transactions } = bed();
  await guard.start([port(1)]);
  await guard.put(port(2, '10.77.2.1'));
  assert.equal(guard.get('coi1'), undefined);
  assert.match(transactions.at(-1) ?? '', /"delete":\{"element":[^}]*"places"/);
});

test('a new host network is closed to sessions by an incremental change', async () => {
  const attached = { ranges: [] as AddressRange[] };
  const { guard, transactions } = bed(attached);
  await guard.start([port(1)]);
  attached.ranges = [range('203.0.113.0/28')];
  await guard.put(port(2));
  assert.match(transactions.at(-1) ?? '', /203\.0\.113\.15/);
  assert.doesNotMatch(transactions.at(-1) ?? '', /"delete":\{"table"/);
});

test('an address that is open long enough is not reopened, one about to expire is', async () => {
  const { guard, put, state } = bed();
  await guard.start([]);
  const one = { set: 's', address: 1, seconds: 120 };
  await guard.open([one]);
  state.nowMs = 20_000;
  await guard.open([one]);
  assert.equal(put.length, 1);
  state.nowMs = 40_000;
  await guard.open([one]);
  assert.equal(put.length, 2);
  assert.deepEqual([...(put[0]?.key ?? [])], [0, 0, 0, 1]);
});
