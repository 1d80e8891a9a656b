import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressText, parseAddress, parseNetwork } from '../addresses/ipv4.ts';
import type { PolicyRecord } from '../coid-api/network-protocol.ts';
import { decideAddress } from './decide.ts';
import { destinationRules } from './destination-rules.ts';
import { parseEntry } from './entry.ts';
import type { Json, Statement } from './nft-json.ts';
import { defaultPolicy, networkPolicy } from './policy.ts';

/** The first packet of a connection, as the kernel sees it. */
interface Packet {
  readonly address: string;
  readonly port: number;
  readonly oifname: string;
}

/** The kernel's verdict on it: the subset of nft that a session's rules use. Sets of resolved names are empty. */
function verdict(rules: ReturnType<typeof destinationRules>, packet: Packet): string {
  for (const { statements } of rules)
    if (statements.every((statement) => holds(statement, packet))) {
      const last = statements.at(-1) ?? {};
      if ('accept' in last) return 'allowed';
      if ('goto' in last) return 'refused';
    }
  return 'fell through';
}

function holds({ match }: Statement, packet: Packet): boolean {
  if (match === undefined) return true;
  const { op, left, right } = match as { op: string; left: Json; right: Json };
  const found = contained(value(left, packet), right);
  return op === '!=' ? !found : found;
}

function value(left: Json, { address, port, oifname }: Packet): string | number {
  const key = JSON.stringify(left);
  const values: Record<string, string | number> = {
    '{"payload":{"protocol":"ip","field":"daddr"}}': address,
    '{"payload":{"protocol":"th","field":"dport"}}': port,
    '{"meta":{"key":"l4proto"}}': 'tcp',
    '{"meta":{"key":"oifname"}}': oifname,
    '{"ct":{"key":"direction"}}': 'original',
    '{"ct":{"key":"state"}}': 'new',
  };
  return values[key] ?? 'something else';
}

function contained(value: string | number, right: Json): boolean {
  if (Array.isArray(right)) return right.some((one: Json) => contained(value, one));
  if (typeof right === 'string' && right.startsWith('@'))
    return right === '@bridges' && value === 'bridge';
  if (typeof right !== 'object' || right === null) return value === right;
  if ('set' in right) return contained(value, right['set'] ?? null);
  const [from, to] = (right as { range: [string | number, string | number] }).range.map(number);
  return (from ?? 0) <= number(value) && number(value) <= (to ?? -1);
}

function number(value: string | number): number {
  return typeof value === 'number' ? value : (parseAddress(value) ?? Number.NaN);
}

const bridge = parseNetwork('10.77.0.0/22');
/** Addresses close to those in the rules, and arbitrary ones. */
const address = fc.oneof(
  fc.constantFrom(
    ...['10.77.0.1', '10.77.2.9', '10.1.2.3', '192.168.77.7', '100.64.0.1', '127.0.0.1'],
    ...['169.254.169.254', '168.63.129.16', '224.0.0.1', '203.0.113.5', '93.184.215.14'],
  ),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(addressText),
);
const port = fc.constantFrom(22, 53, 80, 443, 5432);
const ports = fc.subarray([22, 80, 443, 5432]);
const entry = fc
  .tuple(address, fc.constantFrom('', '/30', '/16'), ports)
  .map(([one, length, list]) => `${one}${length}${list.length > 0 ? `:${list.join(',')}` : ''}`);
const policy = fc.record({
  mode: fc.constantFrom('restricted' as const, 'allowlist' as const),
  allow: fc.array(entry, { maxLength: 3 }),
  hosts: fc.array(
    fc.record({ address, ports }).map((one) => ({ ...one, names: ['db'] })),
    { maxLength: 2 },
  ),
  allowedPorts: ports,
  allowLocal: fc.boolean(),
  blockPrivate: fc.boolean(),
  blockMetadata: fc.boolean(),
}) satisfies fc.Arbitrary<Partial<PolicyRecord>>;

test('the verdict of `coi network why` for an address equals the rules, whatever the policy', () => {
  const attached = [parseNetwork('203.0.113.0/28') ?? { from: 0, to: 0 }];
  fc.assert(
    fc.property(
      policy,
      fc.array(entry, { maxLength: 2 }),
      address,
      port,
      (record, open, to, at) => {
        const parsed = networkPolicy({ ...defaultPolicy(record.mode), ...record });
        const permits = open.flatMap((text) => {
          const found = parseEntry(text);
          return found.kind === 'network' ? [{ range: found.range, ports: found.ports }] : [];
        });
        const reach = { policy: parsed, permits, attached, bridge };
        const isOwn = decideAddress({ host: to, port: at }, reach).rule === 'host-and-containers';
        const rules = destinationRules({ policy: parsed, permits, hostName: 'coi1' }, attached);
        const packet = { address: to, port: at, oifname: isOwn ? 'bridge' : 'uplink' };
        assert.equal(verdict(rules, packet), decideAddress({ host: to, port: at }, reach).verdict);
      },
    ),
    { numRuns: 2000 },
  );
});
