import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bridge, pool } from '../../../test/fakes/host-states.ts';
import type { Image } from '../../incus/shapes.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { emptySetupRecord } from '../setup-record.ts';
import type { IncusFacts, RemovalFacts } from './facts.ts';
import { noOtherProjects } from './other-projects.ts';
import type { PendingWork } from './pending-work.ts';
import { planRemoval, type RemoveRequest } from './plan.ts';

const image = (fingerprint: string, alias: string) =>
  ({ fingerprint, aliases: [{ name: alias, description: '' }] }) as unknown as Image;
const container = (name: string, status: Container['status']) =>
  ({ name, status, session: undefined, instance: {} }) as unknown as Container;

const used = { used_by: ['/1.0/images/f00d', '/1.0/profiles/default'] };
const incus: IncusFacts = {
  containers: [],
  others: 0,
  foreign: [],
  images: [image('f00d', 'coi-default')],
  pool: { ...pool('default', 'btrfs'), ...used },
  bridge: { ...bridge('coibr0', {}), used_by: ['/1.0/profiles/default'] },
  profile: {
    name: 'default',
    description: '',
    config: {},
    devices: {
      root: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', name: 'eth0', network: 'coibr0' },
    },
    used_by: [],
  },
};
const idLine = { path: '/etc/subuid', line: 'root:600113152:1000000000' };

const note: PendingWork = {
  ...{ kind: 'protect', name: '1-2.json', directory: '/w', container: undefined, exists: false },
};

/** Everything that one setup has made, on a host without other users. */
const whole: RemovalFacts = {
  record: {
    ...{ ...emptySetupRecord, packages: ['incus-base', 'lxcfs'] },
    ...{ members: ['ann'], idLines: [idLine] },
  },
  recordUnreadable: false,
  unit: true,
  coidRuns: true,
  tables: ['inet coi', 'bridge coi'],
  openings: [['ufw', 'delete', 'allow', 'in', 'on', 'coibr0']],
  incusInstalled: true,
  incus,
  sysctls: ['/etc/sysctl.d/60-coi.conf'],
  aptSource: true,
  idLines: [idLine],
  unknownIds: [],
  notes: [],
  members: ['ann'],
  allMembers: ['ann'],
  packages: ['incus-base', 'lxcfs'],
  removable: ['incus-base', 'lxcfs'],
  program: true,
  runs: true,
  logs: true,
  state: ['mounts', 'setup.json'],
  home: '/home/ann',
  data: ['.coi'],
};
const little: RemoveRequest = { sessions: false, data: false, packages: false, force: false };
const all: RemoveRequest = { sessions: true, data: true, packages: true, force: false };

const kinds = (facts: RemovalFacts, request: RemoveRequest) =>
  planRemoval(facts, request).steps.map(({ action }) => action.kind);
const stays = (facts: RemovalFacts, request: RemoveRequest) =>
  planRemoval(facts, request).remaining.join('\n');
const withIncus = (changes: Partial<IncusFacts>): RemovalFacts => ({
  ...whole,
  incus: { ...incus, ...changes },
});

describe('items of one setup', () => {
  test('removal steps run in an order that works; data and packages stay unless requested', () => {
    assert.deepEqual(kinds(whole, little), [
      ...['coid', 'tables', 'openings', 'images', 'profile', 'bridge', 'pool'],
      ...['ids', 'files', 'members', 'program', 'directories'],
    ]);
    const left = stays(whole, little);
    assert.match(left, /incus-base, lxcfs \(--packages removes them\)/);
    assert.match(left, /coi-backports\.sources: without it the Incus that is installed gets no/);
    assert.match(left, /\/home\/ann\/\.coi \(--data deletes them\)/);
  });

  test('removal includes data and packages if requested', () => {
    const { steps, remaining: left } = planRemoval(whole, all);
    assert.deepEqual(left, []);
    const last = steps.map(({ action }) => action.kind).slice(-5);
    assert.deepEqual(last, ['packages', 'files', 'data', 'program', 'directories']);
    const { action } = steps.at(-1) ?? {};
    assert.deepEqual(action?.kind === 'directories' && action.paths, [
      ...['/run/coi', '/var/log/coi', '/var/lib/coi'],
    ]);
  });

  test('the record stays as long as it names something that stays', () => {
    const directories = planRemoval(whole, little).steps.at(-1)?.action;
    assert.ok(directories?.kind === 'directories');
    assert.deepEqual(directories.paths, ['/run/coi', '/var/log/coi', '/var/lib/coi/mounts']);
    const again = { ...whole, runs: false, logs: false, state: ['setup.json'], program: false };
    assert.ok(!kinds(again, little).includes('directories'));
  });
});

describe('sessions and removal', () => {
  const withStopped = withIncus({
    containers: [container('coi-a-1', 'Stopped'), container('coi-b-1', 'Running')],
    pool: { ...pool('default', 'btrfs'), used_by: ['/1.0/instances/coi-a-1', ...used.used_by] },
    bridge: { ...bridge('coibr0', {}), used_by: ['/1.0/instances/coi-a-1'] },
  });

  test('running sessions are named, and persistent ones keep what they need', () => {
    assert.deepEqual(planRemoval(withStopped, little).running, ['coi-b-1']);
    for (const kind of ['containers', 'images', 'profile', 'bridge', 'pool', 'ids', 'directories'])
      assert.ok(!kinds(withStopped, little).includes(kind as never), kind);
    assert.match(
      stays(withStopped, little),
      /2 containers \(coi-a-1, coi-b-1\) \(--sessions deletes them/,
    );
    assert.match(stays(withStopped, little), /bridge coibr0, used by instances\/coi-a-1/);
  });

  test('sessions are removed first if requested, then everything they used', () => {
    const { steps, running } = planRemoval(withStopped, { ...little, sessions: true });
    assert.deepEqual(running, []);
    assert.equal(steps[0]?.action.kind, 'containers');
    assert.ok(steps.some(({ action }) => action.kind === 'pool'));
  });
});

describe('items that others use', () => {
  test('shared pool, bridge, ids and packages stay', () => {
    const foreign = ['/1.0/instances/web?project=default'];
    const shared = withIncus({
      others: 1,
      pool: { ...pool('default', 'btrfs'), used_by: foreign },
      bridge: { ...bridge('coibr0', {}), used_by: foreign },
    });
    for (const kind of ['profile', 'bridge', 'pool', 'ids', 'packages', 'group'])
      assert.ok(!kinds(shared, all).includes(kind as never), kind);
    assert.match(stays(shared, all), /pool "default", used by instances\/web$/m);
    assert.match(stays(shared, all), /incus-base, lxcfs \(Incus has 1 instance\)/);
  });

  test('other Incus projects keep shared items, are named, and block removal without --force', () => {
    const web = '/1.0/instances/web?project=work';
    const shared = withIncus({
      foreign: [{ project: 'work', name: 'web', session: false }],
      pool: { ...pool('default', 'btrfs'), used_by: [web, '/1.0/profiles/default?project=work'] },
      bridge: { ...bridge('coibr0', {}), used_by: [web] },
    });
    for (const kind of ['profile', 'bridge', 'pool', 'ids', 'packages', 'group'])
      assert.ok(!kinds(shared, all).includes(kind as never), kind);
    assert.match(
      stays(shared, all),
      /pool "default", used by instances\/web \(project work\), profiles\/default \(project work\)$/m,
    );
    assert.deepEqual(planRemoval(shared, all).otherProjects.users, [
      {
        who: 'instances/web (project work)',
        uses: ['the bridge coibr0', 'the storage pool "default"', 'ids of root'],
      },
      { who: 'profiles/default (project work)', uses: ['the storage pool "default"'] },
    ]);
    // A project that uses none of it does not matter.
    const apart = {
      ...withIncus({
        ...incus,
        foreign: shared.incus?.foreign ?? [],
        pool: undefined,
        bridge: undefined,
      }),
      idLines: [],
    };
    assert.deepEqual(planRemoval(apart, all).otherProjects.users, []);
  });

  test('a session in another project is reported separately', () => {
    const moved = { project: 'work', name: 'coi-a-1', session: true };
    const plan = planRemoval(withIncus({ foreign: [moved] }), { ...all, force: true });
    assert.deepEqual(plan.otherProjects.sessions, [moved]);
    assert.ok(!plan.steps.some(({ action }) => action.kind === 'ids'));
  });

  test('a published image keeps the pool', () => {
    const published = withIncus({
      pool: { ...pool('default', 'btrfs'), used_by: ['/1.0/images/beefbeefbeefbeef'] },
    });
    assert.match(stays(published, all), /used by images\/beefbeefbeef$/m);
  });

  test('a pool or bridge that setup did not make is not mentioned', () => {
    const own = withIncus({ pool: undefined, bridge: undefined });
    assert.ok(!/pool|bridge/.test(stays(own, all)));
    assert.ok(!kinds(own, all).includes('profile'));
  });

  test('a profile that uses another pool or bridge is unchanged', () => {
    const devices = { root: { type: 'disk', path: '/', pool: 'fast' } };
    const changed = withIncus({ profile: { ...incus.profile, devices } as never });
    assert.ok(!kinds(changed, all).includes('profile'));
  });
});

test('if Incus does not answer, everything it has or needs stays', () => {
  const silent = { ...whole, incus: undefined };
  for (const kind of ['images', 'pool', 'ids', 'packages'])
    assert.ok(!kinds(silent, all).includes(kind as never), kind);
  assert.match(stays(silent, all), /Incus does not answer/);
});

test('the group is removed only if setup created it, it has no other members and Incus is gone', () => {
  const ours: RemovalFacts = { ...whole, record: { ...whole.record, group: true } };
  assert.ok(kinds(ours, all).includes('group'));
  assert.ok(!kinds(ours, little).includes('group'));
  assert.ok(!kinds({ ...ours, allMembers: ['ann', 'bob'] }, all).includes('group'));
  assert.ok(!kinds(whole, all).includes('group'));
});

test("without a record, items that are marked as coi's are removed", () => {
  const old: RemovalFacts = {
    ...whole,
    record: emptySetupRecord,
    ...{ idLines: [], members: [], packages: [], removable: [], state: ['mounts'] },
  };
  assert.deepEqual(kinds(old, { ...all, sessions: false }), [
    ...['coid', 'tables', 'openings', 'images', 'profile', 'bridge', 'pool'],
    ...['files', 'data', 'program', 'directories'],
  ]);
});

test('a package that others need stays, and so does the source of an Incus that stays', () => {
  const facts: RemovalFacts = { ...whole, removable: ['lxcfs'] };
  assert.match(stays(facts, all), /installed: incus-base \(others need them\)$/m);
  assert.match(stays(facts, all), /coi-backports\.sources/);
  const packages = planRemoval(facts, all).steps.find(({ action }) => action.kind === 'packages');
  assert.equal(packages?.plan, 'remove lxcfs with apt');
});

test('evidence of stopped sessions stays unless data is to be removed', () => {
  const facts: RemovalFacts = { ...whole, state: ['evidence', 'mounts'], packages: [] };
  const directories = planRemoval(facts, little).steps.at(-1)?.action;
  assert.ok(directories?.kind === 'directories');
  assert.ok(directories.paths.includes('/var/lib/coi/mounts'));
  assert.ok(!directories.paths.includes('/var/lib/coi'));
  assert.match(stays(facts, little), /evidence/);
  const all = planRemoval(facts, { ...little, data: true }).steps.at(-1)?.action;
  assert.ok(all?.kind === 'directories' && all.paths.includes('/var/lib/coi'));
});

test('with nothing left there is nothing to do', () => {
  const bare: RemovalFacts = {
    ...whole,
    ...{ record: emptySetupRecord, unit: false, coidRuns: false, tables: [], openings: [] },
    ...{ incusInstalled: false, incus: undefined, sysctls: [], aptSource: false, idLines: [] },
    ...{
      members: [],
      allMembers: [],
      packages: [],
      removable: [],
      program: false,
      runs: false,
      logs: false,
    },
    ...{ state: [], data: [] },
  };
  assert.deepEqual(planRemoval(bare, all), {
    ...{ steps: [], remaining: [], running: [] },
    otherProjects: noOtherProjects,
  });
});

test('single ids of unknown origin stay and are reported', () => {
  const facts = { ...whole, unknownIds: [{ path: '/etc/subuid', line: 'root:1000:1' }] };
  assert.match(stays(facts, all), /^root:1000:1 in \/etc\/subuid: its origin is unknown/m);
});

test("coid's unfinished work is done first, even if no coid runs", () => {
  const left = { ...whole, unit: false, coidRuns: false, notes: [note] };
  assert.equal(kinds(left, little)[0], 'coid');
  assert.ok(!kinds({ ...left, notes: [] }, little).includes('coid'));
});

test('the record of single ids stays as long as they do', () => {
  const others = withIncus({ others: 1 });
  const state = ['mounts', 'own-ids.json', 'setup.json'];
  const directories = planRemoval({ ...others, state }, all).steps.at(-1)?.action;
  assert.ok(directories?.kind === 'directories');
  assert.deepEqual(directories.paths.slice(2), ['/var/lib/coi/mounts']);
});
