import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bridge, pool } from '../../../test/fakes/host-states.ts';
import type { Image } from '../../incus/shapes.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { nothingMade } from '../made.ts';
import { nothingElsewhere } from './elsewhere.ts';
import type { Facts, IncusFacts } from './facts.ts';
import { removalPlan, type Wish } from './plan.ts';
import type { Unfinished } from './unfinished.ts';

const image = (fingerprint: string, alias: string) =>
  ({ fingerprint, aliases: [{ name: alias, description: '' }] }) as unknown as Image;
const container = (name: string, status: Container['status']) =>
  ({ name, status, session: undefined, instance: {} }) as unknown as Container;

const used = { used_by: ['/1.0/images/f00d', '/1.0/profiles/default'] };
const incus: IncusFacts = {
  containers: [],
  others: 0,
  strangers: [],
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

const note: Unfinished = {
  ...{ kind: 'protect', name: '1-2.json', place: '/w', container: undefined, isThere: false },
};

/** Everything that one setup has made, on a host that nobody else uses. */
const whole: Facts = {
  made: { ...nothingMade, packages: ['incus-base', 'lxcfs'], members: ['ann'], idLines: [idLine] },
  unreadable: false,
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
const little: Wish = { sessions: false, data: false, packages: false, force: false };
const all: Wish = { sessions: true, data: true, packages: true, force: false };

const kinds = (facts: Facts, wish: Wish) =>
  removalPlan(facts, wish).steps.map(({ act }) => act.kind);
const stays = (facts: Facts, wish: Wish) => removalPlan(facts, wish).stays.join('\n');
const withIncus = (changes: Partial<IncusFacts>): Facts => ({
  ...whole,
  incus: { ...incus, ...changes },
});

describe('what one setup made', () => {
  test('goes in an order in which each step still can; data and packages stay unless asked for', () => {
    assert.deepEqual(kinds(whole, little), [
      ...['coid', 'tables', 'openings', 'images', 'profile', 'bridge', 'pool'],
      ...['ids', 'files', 'members', 'program', 'directories'],
    ]);
    const left = stays(whole, little);
    assert.match(left, /incus-base, lxcfs \(--packages removes them\)/);
    assert.match(left, /coi-backports\.sources: without it the Incus that is installed gets no/);
    assert.match(left, /\/home\/ann\/\.coi \(--data deletes them\)/);
  });

  test('goes with everything where that is asked for', () => {
    const { steps, stays: left } = removalPlan(whole, all);
    assert.deepEqual(left, []);
    const last = steps.map(({ act }) => act.kind).slice(-5);
    assert.deepEqual(last, ['packages', 'files', 'data', 'program', 'directories']);
    const { act } = steps.at(-1) ?? {};
    assert.deepEqual(act?.kind === 'directories' && act.paths, [
      ...['/run/coi', '/var/log/coi', '/var/lib/coi'],
    ]);
  });

  test('keeps its record as long as the record names something that stays', () => {
    const directories = removalPlan(whole, little).steps.at(-1)?.act;
    assert.ok(directories?.kind === 'directories');
    assert.deepEqual(directories.paths, ['/run/coi', '/var/log/coi', '/var/lib/coi/mounts']);
    const again = { ...whole, runs: false, logs: false, state: ['setup.json'], program: false };
    assert.ok(!kinds(again, little).includes('directories'));
  });
});

describe('sessions', () => {
  const kept = withIncus({
    containers: [container('coi-a-1', 'Stopped'), container('coi-b-1', 'Running')],
    pool: { ...pool('default', 'btrfs'), used_by: ['/1.0/instances/coi-a-1', ...used.used_by] },
    bridge: { ...bridge('coibr0', {}), used_by: ['/1.0/instances/coi-a-1'] },
  });

  test('that run are named, and those that are kept keep what they need', () => {
    assert.deepEqual(removalPlan(kept, little).running, ['coi-b-1']);
    for (const kind of ['containers', 'images', 'profile', 'bridge', 'pool', 'ids', 'directories'])
      assert.ok(!kinds(kept, little).includes(kind as never), kind);
    assert.match(
      stays(kept, little),
      /2 containers \(coi-a-1, coi-b-1\) \(--sessions deletes them/,
    );
    assert.match(stays(kept, little), /bridge coibr0, used by instances\/coi-a-1/);
  });

  test('go first where that is asked for, and then all that they used', () => {
    const { steps, running } = removalPlan(kept, { ...little, sessions: true });
    assert.deepEqual(running, []);
    assert.equal(steps[0]?.act.kind, 'containers');
    assert.ok(steps.some(({ act }) => act.kind === 'pool'));
  });
});

describe('what is not only coi’s', () => {
  test('keeps the pool, the bridge, the ids and the packages', () => {
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

  test('in another project keeps it as well, is named with it, and is in the way without force', () => {
    const web = '/1.0/instances/web?project=work';
    const shared = withIncus({
      strangers: [{ project: 'work', name: 'web', session: false }],
      pool: { ...pool('default', 'btrfs'), used_by: [web, '/1.0/profiles/default?project=work'] },
      bridge: { ...bridge('coibr0', {}), used_by: [web] },
    });
    for (const kind of ['profile', 'bridge', 'pool', 'ids', 'packages', 'group'])
      assert.ok(!kinds(shared, all).includes(kind as never), kind);
    assert.match(
      stays(shared, all),
      /pool "default", used by instances\/web \(project work\), profiles\/default \(project work\)$/m,
    );
    assert.deepEqual(removalPlan(shared, all).elsewhere.users, [
      {
        who: 'instances/web (project work)',
        uses: ['the bridge coibr0', 'the storage pool "default"', 'ids of root'],
      },
      { who: 'profiles/default (project work)', uses: ['the storage pool "default"'] },
    ]);
    // What uses nothing of it is nobody's concern.
    const apart = {
      ...withIncus({
        ...incus,
        strangers: shared.incus?.strangers ?? [],
        pool: undefined,
        bridge: undefined,
      }),
      idLines: [],
    };
    assert.deepEqual(removalPlan(apart, all).elsewhere.users, []);
  });

  test('a session in another project is told apart', () => {
    const moved = { project: 'work', name: 'coi-a-1', session: true };
    const plan = removalPlan(withIncus({ strangers: [moved] }), { ...all, force: true });
    assert.deepEqual(plan.elsewhere.sessions, [moved]);
    assert.ok(!plan.steps.some(({ act }) => act.kind === 'ids'));
  });

  test('an image that somebody published keeps the pool', () => {
    const published = withIncus({
      pool: { ...pool('default', 'btrfs'), used_by: ['/1.0/images/beefbeefbeefbeef'] },
    });
    assert.match(stays(published, all), /used by images\/beefbeefbeef$/m);
  });

  test('a pool or a bridge that setup did not make is not spoken of', () => {
    const own = withIncus({ pool: undefined, bridge: undefined });
    assert.ok(!/pool|bridge/.test(stays(own, all)));
    assert.ok(!kinds(own, all).includes('profile'));
  });

  test('a profile that uses another pool or bridge is left as it is', () => {
    const devices = { root: { type: 'disk', path: '/', pool: 'fast' } };
    const changed = withIncus({ profile: { ...incus.profile, devices } as never });
    assert.ok(!kinds(changed, all).includes('profile'));
  });
});

test('where Incus does not answer, what it has and what it needs stays', () => {
  const silent = { ...whole, incus: undefined };
  for (const kind of ['images', 'pool', 'ids', 'packages'])
    assert.ok(!kinds(silent, all).includes(kind as never), kind);
  assert.match(stays(silent, all), /Incus does not answer/);
});

test('the group goes only if setup made it, nobody else is in it and Incus is gone', () => {
  const ours: Facts = { ...whole, made: { ...whole.made, group: true } };
  assert.ok(kinds(ours, all).includes('group'));
  assert.ok(!kinds(ours, little).includes('group'));
  assert.ok(!kinds({ ...ours, allMembers: ['ann', 'bob'] }, all).includes('group'));
  assert.ok(!kinds(whole, all).includes('group'));
});

test('of a setup that left no record goes what says itself that it is ours', () => {
  const old: Facts = {
    ...whole,
    made: nothingMade,
    ...{ idLines: [], members: [], packages: [], removable: [], state: ['mounts'] },
  };
  assert.deepEqual(kinds(old, { ...all, sessions: false }), [
    ...['coid', 'tables', 'openings', 'images', 'profile', 'bridge', 'pool'],
    ...['files', 'data', 'program', 'directories'],
  ]);
});

test('a package that something of others needs stays, and the source of an Incus that stays', () => {
  const facts: Facts = { ...whole, removable: ['lxcfs'] };
  assert.match(stays(facts, all), /installed: incus-base \(others need them\)$/m);
  assert.match(stays(facts, all), /coi-backports\.sources/);
  const packages = removalPlan(facts, all).steps.find(({ act }) => act.kind === 'packages');
  assert.equal(packages?.plan, 'remove lxcfs with apt');
});

test('evidence of stopped sessions stays unless data are to go', () => {
  const facts: Facts = { ...whole, state: ['evidence', 'mounts'], packages: [] };
  const directories = removalPlan(facts, little).steps.at(-1)?.act;
  assert.ok(directories?.kind === 'directories');
  assert.ok(directories.paths.includes('/var/lib/coi/mounts'));
  assert.ok(!directories.paths.includes('/var/lib/coi'));
  assert.match(stays(facts, little), /evidence/);
  const all = removalPlan(facts, { ...little, data: true }).steps.at(-1)?.act;
  assert.ok(all?.kind === 'directories' && all.paths.includes('/var/lib/coi'));
});

test('where nothing is left there is nothing to do', () => {
  const bare: Facts = {
    ...whole,
    ...{ made: nothingMade, unit: false, coidRuns: false, tables: [], openings: [] },
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
  assert.deepEqual(removalPlan(bare, all), {
    ...{ steps: [], stays: [], running: [] },
    elsewhere: nothingElsewhere,
  });
});

test('single ids of which nobody knows who gave them stay, and it says so', () => {
  const facts = { ...whole, unknownIds: [{ path: '/etc/subuid', line: 'root:1000:1' }] };
  assert.match(stays(facts, all), /^root:1000:1 in \/etc\/subuid: nothing tells who added it/m);
});

test('work that coid has left is finished before the rest, also where no coid runs', () => {
  const left = { ...whole, unit: false, coidRuns: false, notes: [note] };
  assert.equal(kinds(left, little)[0], 'coid');
  assert.ok(!kinds({ ...left, notes: [] }, little).includes('coid'));
});

test('the record of single ids stays as long as they do', () => {
  const others = withIncus({ others: 1 });
  const state = ['mounts', 'own-ids.json', 'setup.json'];
  const directories = removalPlan({ ...others, state }, all).steps.at(-1)?.act;
  assert.ok(directories?.kind === 'directories');
  assert.deepEqual(directories.paths.slice(2), ['/var/lib/coi/mounts']);
});
