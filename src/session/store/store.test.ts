import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isUnusable, StorePlace, sessionId } from '../../../test/bed/store-place.ts';
import { tool as toolOf } from '../../tools/list.ts';

let place: StorePlace;
beforeEach(() => {
  place = new StorePlace();
});
afterEach(() => place[Symbol.dispose]());

const hourMs = 3_600_000;

/** A file of Claude Code, with a login that ends so many hours from now. */
function login(name: string, hours = 1): string {
  return JSON.stringify({
    claudeAiOauth: {
      accessToken: `access-${name}`,
      refreshToken: `refresh-${name}`,
      expiresAt: Date.now() + hours * hourMs,
      scopes: ['user:inference'],
    },
  });
}

/** The access token that the session has. */
function token(): string {
  return place.settings('.claude/.credentials.json').claudeAiOauth.accessToken;
}

describe('a new store', () => {
  test('has a directory for each part of the home, for the user alone', () => {
    const opencode = toolOf('opencode', { tools: {} });
    const { dir, parts } = place.prepare('new', { tool: opencode });
    assert.deepEqual(
      parts,
      ['.config/opencode', '.local/share/opencode', '.local/state/opencode'].map((part, index) => ({
        name: `state-${index + 1}`,
        source: `${dir}/${part}`,
        target: `/home/code/${part}`,
      })),
    );
    for (const path of [
      join(place.home, '.coi'),
      dirname(dir),
      dir,
      ...parts.map(({ source }) => source),
    ])
      assert.equal(statSync(path).mode & 0o777, 0o700, path);
  });

  test('takes over the login, the settings and the instructions of the user', () => {
    place.write('.claude/.credentials.json', login('mine'));
    place.write('.claude/CLAUDE.md', '# Mine\n');
    place.write('.claude/settings.json', '{"env":{"A":"b"},"permissions":{"allow":["x"]}}');
    place.prepare();
    assert.equal(token(), 'access-mine');
    assert.equal(statSync(join(place.store, '.claude/.credentials.json')).mode & 0o777, 0o600);
    assert.match(place.stored('.claude/CLAUDE.md'), /^# Mine\n\n<!-- BEGIN COI/);
    const merged = place.settings('.claude/settings.json');
    assert.deepEqual(merged.env, { A: 'b' });
    assert.deepEqual(merged.permissions, { allow: ['x'], defaultMode: 'bypassPermissions' });
  });

  test('takes over of ~/.claude.json the login, not what other projects or services left there', () => {
    place.write(
      '.claude.json',
      JSON.stringify({
        oauthAccount: { a: 1 },
        projects: { '/other': { history: ['secret'] } },
        mcpServers: { x: { env: { KEY: 'secret' } } },
      }),
    );
    place.prepare();
    assert.ok(!place.stored('.claude/.claude.json').includes('secret'));
    assert.deepEqual(place.settings('.claude/.claude.json').oauthAccount, { a: 1 });
    assert.equal(
      place.settings('.claude/.claude.json').projects['/workspace'].hasTrustDialogAccepted,
      true,
    );
  });

  test('skips the first questions only where there is a login', () => {
    place.prepare();
    assert.equal(place.settings('.claude/.claude.json').hasCompletedOnboarding, undefined);
    place.write('.claude/.credentials.json', login('mine'));
    place.prepare();
    assert.equal(place.settings('.claude/.claude.json').hasCompletedOnboarding, true);
  });

  test('skips them for a login that comes as a variable, too', () => {
    place.prepare('new', { launch: place.launch('new', { variables: ['ANTHROPIC_API_KEY'] }) });
    assert.equal(place.settings('.claude/.claude.json').hasCompletedOnboarding, true);
  });

  test('asks for permission where the user wants to be asked', () => {
    place.prepare('new', { launch: place.launch('new', { permissionMode: 'interactive' }) });
    assert.deepEqual(place.settings('.claude/settings.json'), {});
  });

  test('goes on without a file of the user that cannot be taken over, and says so', () => {
    execFileSync('mkfifo', [join(place.home, '.claude.json')]);
    place.write('.claude/settings.json', 'no json');
    const { warnings } = place.prepare();
    assert.equal(warnings.length, 2);
    assert.match(warnings.join('\n'), /settings\.json is no JSON[\s\S]*\.claude\.json is a FIFO/);
    assert.equal(
      place.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test('may be where a link of the user leads', () => {
    mkdirSync(join(place.home, 'elsewhere'));
    symlinkSync('elsewhere', join(place.home, '.coi'));
    const { dir } = place.prepare();
    assert.equal(dir, join(place.home, 'elsewhere/sessions-claude', sessionId));
  });

  test('leaves the instructions alone where the agent is told nothing', () => {
    place.prepare('new', { context: undefined });
    assert.equal(existsSync(join(place.store, '.claude/CLAUDE.md')), false);
  });
});

describe('a resumed store', () => {
  const recent = new Date('2024-01-01');

  test('keeps a login that the agent renewed, and gets a newer one of the user when that has ended', () => {
    place.write('.claude/.credentials.json', login('first'));
    place.prepare();
    place.plant(`.claude/.credentials.json`, login('renewed', 2));
    place.prepare('resume');
    assert.equal(token(), 'access-renewed');
    place.write('.claude/.credentials.json', login('newer', 3));
    place.prepare('resume');
    // Nobody has asked the provider about it yet.
    assert.equal(token(), 'access-renewed');
    place.plant(`.claude/.credentials.json`, login('renewed', -1));
    place.prepare('resume');
    assert.equal(token(), 'access-newer');
  });

  test('gets a login where the old one is empty, missing, blanked or no login', () => {
    place.write('.claude/.credentials.json', login('mine'));
    place.prepare();
    const path = join(place.store, '.claude/.credentials.json');
    const blanked = { claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 } };
    for (const text of ['', undefined, JSON.stringify(blanked), 'no json']) {
      if (text === undefined) rmSync(path);
      else place.plant('.claude/.credentials.json', text, new Date(Date.now() + 60_000));
      place.prepare('resume');
      assert.equal(token(), 'access-mine', String(text));
    }
  });

  test('keeps its own login where the user has none any more', () => {
    place.write('.claude/.credentials.json', login('mine'));
    place.prepare();
    place.write('.claude/.credentials.json', '{}');
    place.prepare('resume');
    assert.equal(token(), 'access-mine');
  });

  test('keeps the settings of the session, and coi’s are put in again', () => {
    place.write('.claude/settings.json', '{"theme":"user"}', recent);
    place.prepare();
    place.write(
      `.coi/sessions-claude/${sessionId}/.claude/settings.json`,
      '{"theme":"session","permissions":{"defaultMode":"plan"}}',
    );
    place.write('.claude/settings.json', '{"theme":"user later"}', new Date(Date.now() + 60_000));
    place.prepare('resume');
    assert.equal(place.settings('.claude/settings.json').theme, 'session');
    assert.equal(
      place.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test('tells the agent anew without growing', () => {
    place.write('.claude/CLAUDE.md', 'mine\n');
    place.prepare();
    const first = place.stored('.claude/CLAUDE.md');
    place.prepare('resume', { context: '# Elsewhere' });
    assert.equal(place.stored('.claude/CLAUDE.md'), first.replace('# Here', '# Elsewhere'));
  });

  test('keeps what Claude noted about the project', () => {
    place.prepare();
    place.write(
      `.coi/sessions-claude/${sessionId}/.claude/.claude.json`,
      JSON.stringify({ numStartups: 3, projects: { '/workspace': { lastCost: 7 } } }),
    );
    place.prepare('resume');
    const { numStartups, projects } = place.settings('.claude/.claude.json');
    assert.equal(numStartups, 3);
    assert.equal(projects['/workspace'].lastCost, 7);
    assert.equal(projects['/workspace'].hasTrustDialogAccepted, true);
  });

  test('is not led out by links, whatever name they were planted under', () => {
    place.write('.claude/.credentials.json', login('mine'));
    place.prepare();
    place.write('precious', 'precious');
    for (const name of ['.credentials.json', 'settings.json', '.claude.json', 'CLAUDE.md']) {
      const path = join(place.store, '.claude', name);
      rmSync(path);
      symlinkSync(join(place.home, 'precious'), path);
      assert.equal(readFileSync(path, 'utf8'), 'precious', 'a plain read is led out');
      place.prepare('resume');
      assert.ok(lstatSync(path).isFile(), `${name} is a file again`);
      assert.ok(!readFileSync(path, 'utf8').includes('precious'), `${name} was not read through`);
      assert.equal(readFileSync(join(place.home, 'precious'), 'utf8'), 'precious');
    }
  });

  test('writes settings and logins anew that are nested too deeply to be written again, and says so', () => {
    place.write('.claude/.credentials.json', login('mine'));
    place.prepare();
    const deep = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    assert.throws(() => JSON.stringify(JSON.parse(deep)), RangeError, 'the control');
    for (const name of ['settings.json', '.claude.json', '.credentials.json'])
      place.plant(`.claude/${name}`, deep);
    const said = place.prepare('resume').warnings.join('\n');
    assert.match(said, /settings\.json of the session is no JSON object that can be read/);
    assert.equal(
      place.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
    assert.equal(token(), 'access-mine');
  });

  test('puts a FIFO or a sparse giant in the place of a file away, and says so', () => {
    place.prepare();
    const path = join(place.store, '.claude/settings.json');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    assert.match(
      place.prepare('resume').warnings.join(),
      /settings\.json is a FIFO; it was not read/,
    );
    truncateSync(path, 2 ** 36);
    assert.match(place.prepare('resume').warnings.join(), /larger than/);
    assert.equal(
      place.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test('is refused where a directory stands for a file, or a link for a part', () => {
    place.prepare();
    rmSync(join(place.store, '.claude/settings.json'));
    mkdirSync(join(place.store, '.claude/settings.json'));
    assert.throws(() => place.prepare('resume'), isUnusable);
    rmSync(join(place.store, '.claude'), { recursive: true });
    symlinkSync(place.home, join(place.store, '.claude'));
    assert.throws(() => place.prepare('resume'), isUnusable);
    assert.deepEqual(readdirSync(place.home), ['.coi']);
  });
});

test('a store that cannot be written says so, with what to do', () => {
  place.prepare();
  const part = join(place.store, '.claude');
  rmSync(part, { recursive: true });
  writeFileSync(part, '');
  chmodSync(part, 0o600);
  assert.throws(
    () => place.prepare('resume'),
    (error) => isUnusable(error) && (error as Error).message.includes('.claude'),
  );
});
