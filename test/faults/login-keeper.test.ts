// A keeper that is killed at each of its steps: no login is lost, and what it leaves behind is taken away by the next one.
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
  begin,
  claude,
  credentials,
  end,
  home,
  inStore,
  keep,
  me,
  plant,
  token,
  write,
} from '../bed/login-home.ts';

beforeEach(begin);
afterEach(end);

const program = join(import.meta.dirname, '../bed/killed-keeper.ts');
const minuteMs = 60_000;

function keeper(killedAt = 0) {
  return spawnSync(process.execPath, [program, home, a, 'a-second', String(killedAt)], {
    encoding: 'utf8',
  });
}

/** Files that a killed write has left, in the home and all below. */
function leftovers(): string[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(?:^|\/)\.coi-[0-9a-f]{16}$/.test(path),
  );
}

const only = { live: [a] };
/** As it is that long after. A lock that was left counts as old then: for Claude, too, after ten seconds. */
const later = (ms: number) => keep({ 'a-second': me }, only, undefined, ms);

describe('a keeper that is killed', () => {
  test('at any step loses no login, shows nobody one, and the next takes away what it left', async () => {
    plant(a, claude('second', 8));
    const whole = keeper();
    const steps = Number(/^done (\d+)/.exec(whole.stdout)?.[1]);
    assert.ok(steps > 15, whole.stdout + whole.stderr);
    let left = 0;
    for (let step = 1; step <= steps; step += 1) {
      end();
      begin();
      plant(a, claude('second', 8));
      assert.equal(keeper(step).signal, 'SIGKILL', `step ${step}`);
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

  test('leaves what another may still write alone, and it is looked at again', async () => {
    write('.claude/.coi-0123456789abcdef', claude('second'));
    assert.equal(await later(0), 'later');
    assert.equal(leftovers().length, 1);
    assert.equal(await later(2 * minuteMs), 'done');
    assert.deepEqual(leftovers(), []);
  });

  test('leaves it in the directories of the session and where a link leads as well', async () => {
    mkdirSync(join(home, 'dotfiles'));
    write('dotfiles/login.json', claude('first'));
    rmSync(join(home, credentials));
    symlinkSync('../dotfiles/login.json', join(home, credentials));
    for (const place of ['dotfiles', '.claude', '.', '.coi/logins', inStore(a, '.claude')])
      write(join(place, '.coi-0123456789abcdef'), claude('second'));
    await later(2 * minuteMs);
    assert.deepEqual(leftovers(), []);
  });

  test('is not taken for what only has such a name', async () => {
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

  test('of somebody else’s nothing is taken away', async () => {
    const path = join(home, '.claude/.coi-0123456789abcdef');
    writeFileSync(path, 'theirs');
    chownSync(path, 4242, 4242);
    await later(2 * minuteMs);
    assert.deepEqual(leftovers(), ['.claude/.coi-0123456789abcdef']);
  });
});
