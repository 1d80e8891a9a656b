import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type KeepRequest, Logins } from './watch.ts';

const runDir = '/run/coi-test';
const ids = ['aaaaaaaa-1111-4111-8111-111111111111', 'bbbbbbbb-1111-4111-8111-111111111111'];
const [a = '', b = ''] = ids;
let home = '';
let logins: Logins;
let kept: KeepRequest[] = [];
let status = 0;
let nowMs = 0;
const ending = new AbortController();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'coit-logins-'));
  [kept, status, nowMs] = [[], 0, 0];
  write('.claude/.credentials.json', 'host');
  for (const id of ids) write(inStore(id), 'login');
  logins = new Logins({
    log: () => undefined,
    runDir,
    elapsedMs: () => nowMs,
    signal: ending.signal,
    homeOf: () => undefined,
    keep: async (request) => {
      kept.push(request);
      return status;
    },
  });
});
afterEach(() => {
  logins.follow([]);
  rmSync(home, { recursive: true });
});

const inStore = (id: string) => `.coi/sessions-claude/${id}/.claude/.credentials.json`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

/** One that was started in the future: what is in its store was put there by its start. */
function session(id: string, tool = 'claude', startedAt = '2100-01-01T00:00:00Z'): Instance {
  const config = sessionConfig({
    workspace: '/w',
    target: '/workspace',
    slot: 1,
    tool,
    session: id,
    persistent: false,
    alias: undefined,
    profile: undefined,
    owner: 1000,
    network: 'open',
    mounts: {
      id: `id-${id}`,
      runDir,
      ownerUid: 1000,
      ownerGid: 1000,
      idmapBase: 1_065_536,
      mounts: [
        { name: 'workspace', source: '/w', readonly: false },
        {
          name: 'state-1',
          source: `${home}/.coi/sessions-${tool}/${id}/.claude`,
          readonly: false,
        },
      ],
    },
    phase: 'live',
  });
  const times = { created_at: startedAt, last_used_at: startedAt };
  return { name: id, status: 'Running', config, ...times } as Instance;
}

/** The record of its mounts under another id. */
function mountsOf({ config }: Instance, owner: number): string {
  const mounts = JSON.parse(config['user.coi.mounts'] ?? '{}');
  return JSON.stringify({ ...mounts, id: `id-${owner}` });
}

/** Looks once and returns what the keeper was started for. */
async function look(): Promise<KeepRequest['input'][]> {
  const before = kept.length;
  await logins.look();
  return kept.slice(before).map(({ input }) => input);
}

const of = (...sessions: string[]) => sessions.map((id) => ({ session: id, tool: 'claude' }));

describe('the keeper of logins', () => {
  test('is started once for a user, to find what ended unseen, and then for each change', async () => {
    logins.follow([session(a), session(b)]);
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: true }]);
    assert.deepEqual(kept[0], { ...kept[0], uid: 1000, home });
    assert.deepEqual(await look(), []);
    for (const path of [inStore(a), '.claude/.credentials.json']) {
      write(path, 'changed and longer');
      assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: false }], path);
      assert.deepEqual(await look(), []);
    }
  });

  test('is not started for what a start put into the store', async () => {
    logins.follow([session(a)]);
    await look();
    logins.follow([session(a), session(b)]);
    assert.deepEqual(await look(), []);
    logins.follow([session(a)]);
    await look();
    logins.follow([session(a), session(b, 'claude', '2020-01-01T00:00:00Z')]);
    assert.equal((await look()).length, 1, 'changed since');
  });

  test('is started for a session that has ended, and for none of other tools', async () => {
    logins.follow([session(a), session(b, 'mine')]);
    await look();
    logins.follow([]);
    assert.deepEqual(await look(), [{ live: [], ended: of(a), all: false }]);
    assert.deepEqual(await look(), []);
  });

  test('sees the file behind a link of the user’s, and does not follow a session’s', async () => {
    write('dotfiles/login', 'host');
    rmSync(join(home, '.claude/.credentials.json'));
    symlinkSync(join(home, 'dotfiles/login'), join(home, '.claude/.credentials.json'));
    write('elsewhere', 'x');
    rmSync(join(home, inStore(a)));
    symlinkSync(join(home, 'elsewhere'), join(home, inStore(a)));
    logins.follow([session(a)]);
    await look();
    write('elsewhere', 'longer');
    assert.deepEqual(await look(), []);
    write('dotfiles/login', 'longer');
    assert.equal((await look()).length, 1);
  });

  test('is not started all the time for a session that writes all the time', async () => {
    logins.follow([session(a), session(b)]);
    await look();
    let started = 0;
    for (let second = 0; second < 120; second += 1) {
      nowMs += 1000;
      write(inStore(a), `${second}`.repeat(second));
      started += (await look()).length;
    }
    assert.ok(started <= 8 + 120 / 20 + 1, `${started} times in two minutes`);
    write(inStore(b), 'a renewal');
    assert.equal((await look()).length, 1, 'the other session is looked at at once');
  });

  test('is not started for all users at once', async () => {
    let [running, most] = [0, 0];
    const slow = new Logins({
      log: () => undefined,
      runDir,
      elapsedMs: () => nowMs,
      signal: ending.signal,
      homeOf: () => undefined,
      keep: async () => {
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
    slow.follow([1001, 1002, 1003, 1004, 1005].map(owned));
    await slow.look();
    slow.follow([]);
    assert.deepEqual([running, most], [0, 2]);
  });

  test('is started again after it failed, later and later', async () => {
    logins.follow([session(a)]);
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

  test('is started for what is new also while a failure waits to be tried again', async () => {
    logins.follow([session(a), session(b)]);
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
    assert.deepEqual(await look(), [], 'what failed still waits');
    nowMs += 1000;
    status = 0;
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: true }]);
    nowMs += 1_000_000;
    assert.deepEqual(await look(), []);
  });

  test('is started for what has ended until that was done', async () => {
    logins.follow([session(a), session(b)]);
    await look();
    status = 1;
    logins.follow([session(a)]);
    assert.deepEqual(await look(), [{ live: of(a), ended: of(b), all: false }]);
    assert.deepEqual(await look(), []);
    nowMs += 5000;
    status = 0;
    assert.deepEqual(await look(), [{ live: of(a), ended: of(b), all: false }]);
    assert.deepEqual(await look(), []);
  });

  test('is started once where the host’s changed between a start and its first look', async () => {
    logins.follow([session(a)]);
    await look();
    write('.claude/.credentials.json', 'renewed meanwhile');
    await look();
    logins.follow([session(a), session(b)]);
    assert.deepEqual(await look(), [{ live: of(a, b), ended: [], all: false }]);
    assert.deepEqual(await look(), []);
  });
});
