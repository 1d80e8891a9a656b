import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NetworkMode, PolicyRecord } from '../coid-api/network-protocol.ts';
import type { NftCommand } from './nft-json.ts';
import { defaultPolicy, networkPolicy } from './policy.ts';
import { chainsOf, elementsOf, rulesetChanges, setsOf } from './ruleset-changes.ts';
import { sharedRules } from './ruleset-transaction.ts';
import { type SessionRules, sessionRules } from './session-rules.ts';

const surroundings = { table: 'coi', attached: [] };

function session(
  index: number,
  mode: NetworkMode,
  change: Partial<PolicyRecord> = {},
): SessionRules {
  const policy = networkPolicy({ ...defaultPolicy(mode), ...change });
  return sessionRules(
    {
      hostName: `coi${index}`,
      bridge: 'br0',
      gateway: '10.77.0.1',
      mac: `10:66:6a:00:00:0${index}`,
      address: `10.77.2.${index}`,
      policy,
      permits: [],
    },
    surroundings,
  );
}

const variants = fc.constantFrom<[NetworkMode, Partial<PolicyRecord>]>(
  ['restricted', {}],
  ['restricted', { allowLocal: true }],
  ['open', {}],
  ['allowlist', {}],
  ['allowlist', { allow: ['a.example.org', '*.b.example.org:443'] }],
  ['allowlist', { allow: ['*.b.example.org:443', '192.0.2.0/24'] }],
);
const someSessions = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), variants), {
    selector: ([index]) => index,
    maxLength: 5,
  })
  .map((list) => [
    sharedRules(surroundings),
    ...list.map(([index, [mode, change]]) => session(index, mode, change)),
  ]);

/** The kernel's state by object ids; throws where the kernel would. */
function kernel(before: readonly SessionRules[]) {
  const elements = new Map([...elementsOf(before)].map(([id, element]) => [id, element.jump]));
  const chains = new Map([...chainsOf(before)].map(([name, chain]) => [name, chain.rules.length]));
  const sets = new Set(setsOf(before).keys());
  const perform = (command: NftCommand): void => {
    const [[verb = '', object] = []] = Object.entries(command);
    const [[kind = '', body] = []] = Object.entries(
      object as Record<string, Record<string, unknown>>,
    );
    const name = String(body?.['name'] ?? '');
    if (kind === 'set' || kind === 'map') {
      if (verb === 'add') sets.add(name);
      else assert.ok(sets.delete(name), `no set ${name}`);
    }
    if (kind === 'chain' && verb === 'add') chains.set(name, chains.get(name) ?? 0);
    if (kind === 'chain' && verb === 'flush') {
      assert.ok(chains.has(name));
      chains.set(name, 0);
    }
    if (kind === 'chain' && verb === 'delete') {
      assert.equal(chains.get(name), 0, `chain ${name} has rules`);
      assert.ok(![...elements.values()].includes(name), `chain ${name} is in use`);
      chains.delete(name);
    }
    if (kind === 'rule')
      chains.set(String(body?.['chain']), (chains.get(String(body?.['chain'])) ?? Number.NaN) + 1);
    if (kind === 'element') element(verb, body ?? {});
  };
  const element = (verb: string, { family, table, name, elem }: Record<string, unknown>): void => {
    const [[key, verdict] = []] = (elem as unknown[]).map((one) =>
      Array.isArray(one) ? one : [one],
    );
    const parts = (typeof key === 'object' ? (key as { concat: string[] }).concat : [key]).join(
      ' ',
    );
    const target = (verdict as { jump: { target: string } } | undefined)?.jump.target;
    const id = [family, table, name, parts, target ?? ''].join('|');
    const taken = [...elements.keys()].some((known) =>
      known.startsWith([family, table, name, parts, ''].join('|')),
    );
    if (verb === 'delete') assert.ok(elements.delete(id), `no element ${id}`);
    else {
      assert.ok(!taken, `element ${id} exists with another verdict`);
      elements.set(id, target);
    }
  };
  return {
    perform,
    state: () => ({
      elements: [...elements.keys()].sort(),
      chains: [...chains].sort(),
      sets: [...sets].sort(),
    }),
  };
}

test('commands turn any set of sessions into any other in an order that the kernel accepts', () => {
  fc.assert(
    fc.property(someSessions, someSessions, (before, after) => {
      const now = kernel(before);
      for (const command of rulesetChanges(before, after)) now.perform(command);
      assert.deepEqual(now.state(), kernel(after).state());
    }),
    { numRuns: 300 },
  );
});

test('adding a session takes a handful of commands, however many sessions there are', () => {
  const many = [
    sharedRules(surroundings),
    ...Array.from({ length: 9 }, (_, index) => session(index, 'restricted')),
  ];
  const few = many.slice(0, 2);
  const next = sessionRules(
    {
      hostName: 'coinew',
      bridge: 'br0',
      gateway: '10.77.0.1',
      mac: '10:66:6a:00:01:00',
      address: '10.77.3.1',
      policy: networkPolicy(defaultPolicy('restricted')),
      permits: [],
    },
    surroundings,
  );
  assert.equal(
    rulesetChanges(many, [...many, next]).length,
    rulesetChanges(few, [...few, next]).length,
  );
  assert.ok(
    rulesetChanges(many, [...many, next]).every((command) =>
      JSON.stringify(command).startsWith('{"add":{"element"'),
    ),
  );
});

test('removing a session removes its own elements and keeps shared ones', () => {
  const [one, two] = [
    session(1, 'allowlist', { allow: ['a.example.org'] }),
    session(2, 'restricted'),
  ];
  const removal = JSON.stringify(rulesetChanges([one, two], [two]));
  assert.match(removal, /coi1/);
  assert.doesNotMatch(removal, /coi2|10\.77\.2\.2"|gateways|bridges/);
});
