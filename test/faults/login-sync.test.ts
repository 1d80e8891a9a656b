// A login sync that is killed at each of its steps: no login is lost, and the next one removes its leftovers.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  claude,
  credentials,
  home,
  inStore,
  makeLoginHome,
  me,
  plant,
  removeLoginHome,
  syncLogins,
  token,
  write,
} from '../bed/login-home.ts';

beforeEach(makeLoginHome);
afterEach(removeLoginHome);

const program = join(import.meta.dirname, '../bed/killed-login-sync.ts');
const minuteMs = 60_000;

function startSync(killedAt = 0) {
  return spawnSync(process.execPath, [program, home, a, 'a-second', String(killedAt)], {
    encoding: 'utf8',
  });
}

/** Files left by a killed write, in the home and below. */
function leftovers(): string[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(?:^|\/)\.coi-[0-9a-f]{16}$/.test(path),
  );
}

const only = { live: [a] };
/** Continues after that time. A stale lock counts as old then: for Claude too, after ten seconds. */
const later = (ms: number) => syncLogins({ 'a-second': me }, only, undefined, ms);

describe('a killed login sync', () => {
  test('a login sync killed at any step loses and leaks no login, and the next one cleans up', async () => {
    plant(a, claude('second', 8));
    const whole = startSync();
    const steps = Number(/^done (\d+)/.exec(whole.stdout)?.[1]);
    assert.ok(steps > 15, whole.stdout + whole.stderr);
    let left = 0;
    for (let step = 1; step <= steps; step += 1) {
      removeLoginHome();
      makeLoginHome();
      plant(a, claude('second', 8));
      assert.equal(startSync(step).signal, 'SIGKILL', `step ${step}`);
      assert.ok(['a-first', 'a-second'].includes(token(credentials) ?? ''), `step ${step}`);
      for (const path of leftovers()) {
        left += 1;
        assert.equal(statSync(join(home, path)).mode & 0o777, 0o600, `${step}: ${path}`);
      }
      assert.equal(await later(2 * minuteMs), 'done', `step ${step}`);
      assert.deepEqual(leftovers(), [], `step ${step}`);
      assert.deepEqual(
        [token(credentials), token(inStore(a, credentials))],
        ['a-second', 'a-second'],
      );
    }
    assert.ok(left > 5, 'the fault was not there');
  });

  test('a temporary login file that another process may still write is left and checked again', async () => {
    write('.claude/.coi-0123456789abcdef', claude('second'));
    assert.equal(await later(0), 'later');
    assert.equal(leftovers().length, 1);
    assert.equal(await later(2 * minuteMs), 'done');
    assert.deepEqual(leftovers(), []);
  });

  test('temporary login files are cleaned in session directories and link targets too', async () => {
    mkdirSync(join(home, 'dotfiles'));
    write('dotfiles/login.json', claude('first'));
    rmSync(join(home, credentials));
    symlinkSync('../dotfiles/login.json', join(home, credentials));
    for (const place of ['dotfiles', '.claude', '.', '.coi/logins', inStore(a, '.claude')])
      write(join(place, '.coi-0123456789abcdef'), claude('second'));
    await later(2 * minuteMs);
    assert.deepEqual(leftovers(), []);
  });

  test('files that only have a similar name are not cleaned up', async () => {
    const at = (name: string) => join(home, '.claude', name);
    const names = ['0123456789abcdef0', '0123456789abcdeF', 'pull-0123456789abcdef'];
    for (const name of names) write(`.claude/.coi-${name}`, 'mine');
    mkdirSync(at('.coi-aaaaaaaaaaaaaaaa'));
    write('secret', 'secret');
    symlinkSync('../secret', at('.coi-bbbbbbbbbbbbbbbb'));
    linkSync(join(home, 'secret'), at('.coi-cccccccccccccccc'));
    assert.equal(await later(2 * minuteMs), 'done');
    for (const name of [...names, 'aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'])
      assert.ok(readdirSync(join(home, '.claude')).includes(`.coi-${name}`), name);
    assert.equal(readFileSync(join(home, 'secret'), 'utf8'), 'secret');
  });

  test("another user's files are not cleaned up", async () => {
    const path = join(home, '.claude/.coi-0123456789abcdef');
    writeFileSync(path, 'theirs');
    chownSync(path, 4242, 4242);
    await later(2 * minuteMs);
    assert.deepEqual(leftovers(), ['.claude/.coi-0123456789abcdef']);
  });
});
