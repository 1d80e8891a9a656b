import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { WatchInput } from '../../coid-api/watch-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import { SessionWatchers, type WatcherProcess } from './session-watchers.ts';

const mounts = (home: string, tool: string) => ({
  ...{ id: 'm1', runDir: '/run/coi', ownerUid: 1000, ownerGid: 1000, idmapBase: 1 },
  mounts: [
    {
      name: 'state-1',
      source: `${home}/.coi/sessions-${tool}/7b1c3d52-8b0e-4a8e-9d5e-0d7a1c2b3e4f/.${tool}`,
      readonly: false,
    },
  ],
});

function instance(name: string, owner = 1000, home = '/home/u', tool = 'claude'): Instance {
  return {
    name,
    status: 'Running',
    last_used_at: '',
    config: {
      'user.coi.version': '1',
      'user.coi.workspace': '/w',
      'user.coi.slot': '1',
      'user.coi.tool': tool,
      'user.coi.session': '7b1c3d52-8b0e-4a8e-9d5e-0d7a1c2b3e4f',
      'user.coi.owner': String(owner),
      'user.coi.network': 'restricted',
      'user.coi.mounts': JSON.stringify(mounts(home, tool)),
      'user.coi.policy': 'not for the watcher',
      'raw.lxc': 'neither',
    },
  } as unknown as Instance;
}

interface Started {
  readonly uid: number;
  readonly home: string;
  readonly lines: string[];
  hasEnd: boolean;
  isFull: boolean;
  exit(status: number | undefined): Promise<void>;
  drain(): void;
}

function makeWatchers() {
  const started: Started[] = [];
  const stop = new AbortController();
  const watchers = new SessionWatchers({
    log: () => undefined,
    runDir: '/run/coi',
    elapsedMs: () => Date.now(),
    signal: stop.signal,
    homeOf: () => '/home/u',
    start: ({ uid, home }): WatcherProcess => {
      const { promise, resolve } = Promise.withResolvers<number | undefined>();
      let drained = () => {};
      const one: Started = {
        ...{ uid, home, lines: [], hasEnd: false, isFull: false },
        exit: async (status) => {
          resolve(status);
          await promise;
        },
        drain: () => drained(),
      };
      started.push(one);
      return {
        send: (line) => {
          one.lines.push(line);
          return !one.isFull;
        },
        end: () => {
          one.hasEnd = true;
        },
        ended: promise,
        onDrained: (then) => {
          drained = then;
        },
      };
    },
  });
  return { watchers, started, stop };
}

const names = (line: string | undefined) =>
  (JSON.parse(line ?? '{"instances":[]}') as WatchInput).instances.map(({ name }) => name);

test('each user with sessions has one watcher, which gets only what it needs', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { watchers, started, stop } = makeWatchers();
  const all = [instance('a'), instance('b'), instance('c', 1001), instance('d', 1000, '/other')];
  watchers.reconcile(all);
  assert.equal(started.length, 0, 'not at once: sessions of scripts are short');
  mock.timers.tick(1000);
  assert.deepEqual(
    started.map(({ uid, home, lines }) => [uid, home, names(lines[0])]),
    [
      [1000, '/home/u', ['a', 'b']],
      [1001, '/home/u', ['c']],
      [1000, '/other', ['d']],
    ],
  );
  assert.doesNotMatch(started[0]?.lines[0] ?? '', /not for the watcher|neither/);
  watchers.reconcile(all);
  assert.equal(started[0]?.lines.length, 1, 'nothing has changed');
  stop.abort();
  mock.timers.reset();
});

test('a watcher is told that the last session has ended, and ends if no other begins', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { watchers, started, stop } = makeWatchers();
  watchers.reconcile([instance('a')]);
  mock.timers.tick(1000);
  watchers.reconcile([]);
  assert.deepEqual(names(started[0]?.lines[1]), []);
  mock.timers.tick(59_000);
  watchers.reconcile([instance('b')]);
  mock.timers.tick(60_000);
  assert.ok(!started[0]?.hasEnd);
  watchers.reconcile([]);
  mock.timers.tick(60_000);
  assert.ok(started[0]?.hasEnd);
  stop.abort();
  mock.timers.reset();
});

test('a watcher that was killed is started again, later each time; so is one that ends as a session begins', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { watchers, started, stop } = makeWatchers();
  watchers.reconcile([instance('a')]);
  mock.timers.tick(1000);
  await started[0]?.exit(undefined);
  mock.timers.tick(2000);
  assert.equal(started.length, 2);
  assert.deepEqual(names(started[1]?.lines[0]), ['a']);
  await started[1]?.exit(1);
  mock.timers.tick(3999);
  assert.equal(started.length, 2);
  mock.timers.tick(1);
  assert.equal(started.length, 3);
  watchers.reconcile([]);
  watchers.reconcile([instance('b')]);
  await started[2]?.exit(0);
  mock.timers.tick(1000);
  assert.deepEqual(names(started[3]?.lines[0]), ['b']);
  stop.abort();
  mock.timers.reset();
});

test('a watcher whose home does not answer gets one list when it goes on, the newest', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { watchers, started, stop } = makeWatchers();
  watchers.reconcile([instance('a')]);
  mock.timers.tick(1000);
  const [one] = started;
  assert.ok(one);
  one.isFull = true;
  for (let index = 0; index < 100; index += 1) watchers.reconcile([instance(`x${index}`)]);
  assert.equal(one.lines.length, 2);
  one.isFull = false;
  one.drain();
  assert.deepEqual(names(one.lines[2]), ['x99']);
  stop.abort();
  mock.timers.reset();
});
