import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import type { Instance } from '../../incus/shapes.ts';
import { LoginWatch, type SyncRequest } from './login-watch.ts';

const runDir = '/run/coi-test';
const ids = ['aaaaaaaa-1111-4111-8111-111111111111', 'bbbbbbbb-1111-4111-8111-111111111111'];
const [a = '', b = ''] = ids;
let home = '';
let logins: LoginWatch;
let syncRequests: SyncRequest[] = [];
let status = 0;
let nowMs = 0;
let ending = new AbortController();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'coit-logins-'));
  [syncRequests, status, nowMs] = [[], 0, 0];
  ending = new AbortController();
  write('.claude/.credentials.json', 'host');
  for (const id of ids) writeAfter('.claude/.credentials.json', inStore(id), 'login');
  logins = new LoginWatch({
    log: () => undefined,
    runDir,
    elapsedMs: () => nowMs,
    signal: ending.signal,
    homeOf: () => undefined,
    sync: async (request) => {
      syncRequests.push(request);
      return status;
    },
  });
});
afterEach(() => {
  // Its timer would sync in the next test.
  ending.abort();
  rmSync(home, { recursive: true });
});

const inStore = (id: string) => `.coi/sessions-claude/${id}/.claude/.credentials.json`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

/** Writes a file that is newer than another: the kernel's clock has ticks of some milliseconds. */
function writeAfter(older: string, path: string, text: string): void {
  const changedMs = (name: string) => statSync(join(home, name)).ctimeMs;
  do write(path, text);
  while (changedMs(path) <= changedMs(older));
}

/** A session with a start time in the future: its start wrote everything in its store. */
function session(id: string, tool = 'claude', startedAt = '2100-01-01T00:00:00Z'): Instance {
  const config = sessionConfig({
    tool,
    session: id,
    mounts: {
      id: `id-${id}`,
      runDir,
      mounts: [
        { name: 'workspace', source: '/w', readonly: false },
        {
          name: 'state-1',
          source: `${home}/.coi/sessions-${tool}/${id}/.claude`,
          readonly: false,
        },
      ],
    },
  });
  const times = { created_at: startedAt, last_used_at: startedAt };
  return { name: id, status: 'Running', config, ...times } as Instance;
}

/** The record of its mounts under another id. */
function mountsOf({ config }: Instance, owner: number): string {
  const mounts = JSON.parse(config['user.coi.mounts'] ?? '{}');
  return JSON.stringify({ ...mounts, id: `id-${owner}` });
}

/** Checks once and returns the requests with which the sync was started. */
async function look(): Promise<SyncRequest['input'][]> {
  const before = syncRequests.length;
  await logins.check();
  return syncRequests.slice(before).map(({ input }) => input);
}

const of = (...sessions: string[]) => sessions.map((id) => ({ session: id, tool: 'claude' }));

describe('login sync process', () => {
  test('the login sync starts once per user to catch missed changes, then on each change', async () => {
    logins.reconcile([session(a), session(b)]);
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: true }]);
    assert.deepEqual(syncRequests[0], { ...syncRequests[0], uid: 1000, home });
    assert.deepEqual(await look(), []);
    for (const path of [inStore(a), '.claude/.credentials.json']) {
      write(path, 'changed and longer');
      assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: false }], path);
      assert.deepEqual(await look(), []);
    }
  });

  test('the login sync is not started for files that a session start wrote', async () => {
    logins.reconcile([session(a)]);
    await look();
    logins.reconcile([session(a), session(b)]);
    assert.deepEqual(await look(), []);
    logins.reconcile([session(a)]);
    await look();
    logins.reconcile([session(a), session(b, 'claude', '2020-01-01T00:00:00Z')]);
    assert.equal((await look()).length, 1, 'changed since');
  });

  test('the login sync starts for an ended session, but not for those of other tools', async () => {
    logins.reconcile([session(a), session(b, 'mine')]);
    await look();
    logins.reconcile([]);
    assert.deepEqual(await look(), [{ live: [], ended: of(a), all: false }]);
    assert.deepEqual(await look(), []);
  });

  test("the login watch follows the user's link but not a session's", async () => {
    write('dotfiles/login', 'host');
    rmSync(join(home, '.claude/.credentials.json'));
    symlinkSync(join(home, 'dotfiles/login'), join(home, '.claude/.credentials.json'));
    write('elsewhere', 'x');
    rmSync(join(home, inStore(a)));
    symlinkSync(join(home, 'elsewhere'), join(home, inStore(a)));
    logins.reconcile([session(a)]);
    await look();
    write('elsewhere', 'longer');
    assert.deepEqual(await look(), []);
    write('dotfiles/login', 'longer');
    assert.equal((await look()).length, 1);
  });

  test('a session that writes constantly does not start the login sync constantly', async () => {
    logins.reconcile([session(a), session(b)]);
    await look();
    let started = 0;
    for (let second = 0; second < 120; second += 1) {
      nowMs += 1000;
      write(inStore(a), `${second}`.repeat(second));
      started += (await look()).length;
    }
    assert.ok(started <= 8 + 120 / 20 + 1, `${started} times in two minutes`);
    write(inStore(b), 'a renewal');
    assert.equal((await look()).length, 1, 'the other session is checked at once');
  });

  test('the login sync is not started for all users at once', async () => {
    let [running, most] = [0, 0];
    const slow = new LoginWatch({
      log: () => undefined,
      runDir,
      elapsedMs: () => nowMs,
      signal: ending.signal,
      homeOf: () => undefined,
      sync: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return 0;
      },
    });
    const owned = (owner: number) => {
      const one = session(a);
      const ids = { 'user.coi.owner': String(owner), 'user.coi.mounts': mountsOf(one, owner) };
      return { ...one, config: { ...one.config, ...ids } };
    };
    slow.reconcile([1001, 1002, 1003, 1004, 1005].map(owned));
    await slow.check();
    slow.reconcile([]);
    assert.deepEqual([running, most], [0, 2]);
  });

  test('a failed login sync is retried with growing delays', async () => {
    logins.reconcile([session(a)]);
    status = 1;
    await look();
    const at: number[] = [];
    for (let second = 1; second <= 100; second += 1) {
      nowMs = second * 1000;
      if ((await look()).some(({ all }) => all)) at.push(second);
    }
    assert.deepEqual(at, [5, 15, 35, 75]);
    status = 0;
    nowMs = 1_000_000;
    assert.equal((await look()).length, 1);
    assert.deepEqual(await look(), []);
  });

  test('a new change starts the login sync while a failed one waits for its retry', async () => {
    logins.reconcile([session(a), session(b)]);
    status = 75;
    await look();
    for (const waitMs of [5000, 10_000, 20_000, 40_000, 80_000]) {
      nowMs += waitMs;
      assert.equal((await look()).length, 1);
    }
    write('.claude/.credentials.json', 'renewed by another session');
    assert.equal((await look()).length, 1, 'at once');
    assert.deepEqual(await look(), []);
    nowMs += 159_000;
    assert.deepEqual(await look(), [], 'the failed sync still waits');
    nowMs += 1000;
    status = 0;
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: true }]);
    nowMs += 1_000_000;
    assert.deepEqual(await look(), []);
  });

  test('an ended session keeps starting the login sync until it succeeds', async () => {
    logins.reconcile([session(a), session(b)]);
    await look();
    status = 1;
    logins.reconcile([session(a)]);
    assert.deepEqual(await look(), [{ live: of(a), ended: of(b), all: false }]);
    assert.deepEqual(await look(), []);
    nowMs += 5000;
    status = 0;
    assert.deepEqual(await look(), [{ live: of(a), ended: of(b), all: false }]);
    assert.deepEqual(await look(), []);
  });

  test("a change of the host's login between a start and its first look starts the login sync once", async () => {
    logins.reconcile([session(a)]);
    await look();
    write('.claude/.credentials.json', 'renewed meanwhile');
    await look();
    logins.reconcile([session(a), session(b)]);
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: false }]);
    assert.deepEqual(await look(), []);
  });
});
