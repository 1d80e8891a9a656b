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
import { isUnusable, StoreFixture, sessionId } from '../../../test/bed/store-fixture.ts';
import { findTool as toolOf } from '../../tools/list.ts';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const hourMs = 3_600_000;

/** A login file of Claude Code that expires in that many hours. */
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
  return fixture.settings('.claude/.credentials.json').claudeAiOauth.accessToken;
}

describe('a new store', () => {
  test('a new store has a directory for each part of the home, for the user alone', () => {
    const opencode = toolOf('opencode', { tools: {} });
    const { dir, parts } = fixture.prepare('new', { tool: opencode });
    assert.deepEqual(
      parts,
      ['.config/opencode', '.local/share/opencode', '.local/state/opencode'].map((part, index) => ({
        name: `state-${index + 1}`,
        source: `${dir}/${part}`,
        target: `/home/code/${part}`,
      })),
    );
    for (const path of [
      join(fixture.home, '.coi'),
      dirname(dir),
      dir,
      ...parts.map(({ source }) => source),
    ])
      assert.equal(statSync(path).mode & 0o777, 0o700, path);
  });

  test("a new store copies the user's login, settings and instructions", () => {
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.write('.claude/CLAUDE.md', '# Mine\n');
    fixture.write('.claude/settings.json', '{"env":{"A":"b"},"permissions":{"allow":["x"]}}');
    fixture.prepare();
    assert.equal(token(), 'access-mine');
    assert.equal(statSync(join(fixture.store, '.claude/.credentials.json')).mode & 0o777, 0o600);
    assert.match(fixture.stored('.claude/CLAUDE.md'), /^# Mine\n\n<!-- BEGIN COI/);
    const merged = fixture.settings('.claude/settings.json');
    assert.deepEqual(merged.env, { A: 'b' });
    assert.deepEqual(merged.permissions, { allow: ['x'], defaultMode: 'bypassPermissions' });
  });

  test('of ~/.claude.json only the login is copied, no data of other projects or services', () => {
    fixture.write(
      '.claude.json',
      JSON.stringify({
        oauthAccount: { a: 1 },
        projects: { '/other': { history: ['secret'] } },
        mcpServers: { x: { env: { KEY: 'secret' } } },
      }),
    );
    fixture.prepare();
    assert.ok(!fixture.stored('.claude/.claude.json').includes('secret'));
    assert.deepEqual(fixture.settings('.claude/.claude.json').oauthAccount, { a: 1 });
    assert.equal(
      fixture.settings('.claude/.claude.json').projects['/workspace'].hasTrustDialogAccepted,
      true,
    );
  });

  test('the first-run questions are skipped only with a login', () => {
    fixture.prepare();
    assert.equal(fixture.settings('.claude/.claude.json').hasCompletedOnboarding, undefined);
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.prepare();
    assert.equal(fixture.settings('.claude/.claude.json').hasCompletedOnboarding, true);
  });

  test('the first-run questions are skipped for a login in a variable too', () => {
    fixture.prepare('new', { launch: fixture.launch('new', { variables: ['ANTHROPIC_API_KEY'] }) });
    assert.equal(fixture.settings('.claude/.claude.json').hasCompletedOnboarding, true);
  });

  test('the agent asks for permission if the user configured that', () => {
    fixture.prepare('new', { launch: fixture.launch('new', { permissionMode: 'interactive' }) });
    assert.deepEqual(fixture.settings('.claude/settings.json'), {});
  });

  test("a user's file that cannot be copied is reported and the store is still made", () => {
    execFileSync('mkfifo', [join(fixture.home, '.claude.json')]);
    fixture.write('.claude/settings.json', 'no json');
    const { warnings } = fixture.prepare();
    assert.equal(warnings.length, 2);
    assert.match(
      warnings.join('\n'),
      /settings\.json is not a JSON object[\s\S]*\.claude\.json is a FIFO/,
    );
    assert.equal(
      fixture.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test("the store may be behind a link of the user's", () => {
    mkdirSync(join(fixture.home, 'elsewhere'));
    symlinkSync('elsewhere', join(fixture.home, '.coi'));
    const { dir } = fixture.prepare();
    assert.equal(dir, join(fixture.home, 'elsewhere/sessions-claude', sessionId));
  });

  test('the instructions are unchanged without a context for the agent', () => {
    fixture.prepare('new', { context: undefined });
    assert.equal(existsSync(join(fixture.store, '.claude/CLAUDE.md')), false);
  });
});

describe('a resumed store', () => {
  const recent = new Date('2024-01-01');

  test("a resumed store keeps a renewed login, and gets the user's newer one if that has expired", () => {
    fixture.write('.claude/.credentials.json', login('first'));
    fixture.prepare();
    fixture.plant(`.claude/.credentials.json`, login('renewed', 2));
    fixture.prepare('resume');
    assert.equal(token(), 'access-renewed');
    fixture.write('.claude/.credentials.json', login('newer', 3));
    fixture.prepare('resume');
    // The provider has not been asked about it yet.
    assert.equal(token(), 'access-renewed');
    fixture.plant(`.claude/.credentials.json`, login('renewed', -1));
    fixture.prepare('resume');
    assert.equal(token(), 'access-newer');
  });

  test('a resumed store gets a login if its own is empty, missing, blank or invalid', () => {
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.prepare();
    const path = join(fixture.store, '.claude/.credentials.json');
    const blanked = { claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 } };
    for (const text of ['', undefined, JSON.stringify(blanked), 'no json']) {
      if (text === undefined) rmSync(path);
      else fixture.plant('.claude/.credentials.json', text, new Date(Date.now() + 60_000));
      fixture.prepare('resume');
      assert.equal(token(), 'access-mine', String(text));
    }
  });

  test('a resumed store keeps its login if the user no longer has one', () => {
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.prepare();
    fixture.write('.claude/.credentials.json', '{}');
    fixture.prepare('resume');
    assert.equal(token(), 'access-mine');
  });

  test("a resumed store keeps the session's settings and gets coi's again", () => {
    fixture.write('.claude/settings.json', '{"theme":"user"}', recent);
    fixture.prepare();
    fixture.write(
      `.coi/sessions-claude/${sessionId}/.claude/settings.json`,
      '{"theme":"session","permissions":{"defaultMode":"plan"}}',
    );
    fixture.write('.claude/settings.json', '{"theme":"user later"}', new Date(Date.now() + 60_000));
    fixture.prepare('resume');
    assert.equal(fixture.settings('.claude/settings.json').theme, 'session');
    assert.equal(
      fixture.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test("resuming repeatedly does not grow the agent's context", () => {
    fixture.write('.claude/CLAUDE.md', 'mine\n');
    fixture.prepare();
    const first = fixture.stored('.claude/CLAUDE.md');
    fixture.prepare('resume', { context: '# Elsewhere' });
    assert.equal(fixture.stored('.claude/CLAUDE.md'), first.replace('# Here', '# Elsewhere'));
  });

  test("a resumed store keeps Claude's notes about the project", () => {
    fixture.prepare();
    fixture.write(
      `.coi/sessions-claude/${sessionId}/.claude/.claude.json`,
      JSON.stringify({ numStartups: 3, projects: { '/workspace': { lastCost: 7 } } }),
    );
    fixture.prepare('resume');
    const { numStartups, projects } = fixture.settings('.claude/.claude.json');
    assert.equal(numStartups, 3);
    assert.equal(projects['/workspace'].lastCost, 7);
    assert.equal(projects['/workspace'].hasTrustDialogAccepted, true);
  });

  test('links planted in a resumed store are not followed, under any name', () => {
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.prepare();
    fixture.write('precious', 'precious');
    for (const name of ['.credentials.json', 'settings.json', '.claude.json', 'CLAUDE.md']) {
      const path = join(fixture.store, '.claude', name);
      rmSync(path);
      symlinkSync(join(fixture.home, 'precious'), path);
      assert.equal(readFileSync(path, 'utf8'), 'precious', 'a plain read is led out');
      fixture.prepare('resume');
      assert.ok(lstatSync(path).isFile(), `${name} is a file again`);
      assert.ok(!readFileSync(path, 'utf8').includes('precious'), `${name} was not read through`);
      assert.equal(readFileSync(join(fixture.home, 'precious'), 'utf8'), 'precious');
    }
  });

  test('settings and logins nested too deeply are replaced and reported', () => {
    fixture.write('.claude/.credentials.json', login('mine'));
    fixture.prepare();
    const deep = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    assert.throws(() => JSON.stringify(JSON.parse(deep)), RangeError, 'the control');
    for (const name of ['settings.json', '.claude.json', '.credentials.json'])
      fixture.plant(`.claude/${name}`, deep);
    const result = fixture.prepare('resume').warnings.join('\n');
    assert.match(result, /settings\.json of the session is not a readable JSON object/);
    assert.equal(
      fixture.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
    assert.equal(token(), 'access-mine');
  });

  test('a FIFO or sparse giant in place of a file is set aside and reported', () => {
    fixture.prepare();
    const path = join(fixture.store, '.claude/settings.json');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    assert.match(
      fixture.prepare('resume').warnings.join(),
      /settings\.json is a FIFO; it was not read/,
    );
    truncateSync(path, 2 ** 36);
    assert.match(fixture.prepare('resume').warnings.join(), /larger than/);
    assert.equal(
      fixture.settings('.claude/settings.json').permissions.defaultMode,
      'bypassPermissions',
    );
  });

  test('a resumed store is refused if a directory replaces a file, or a link a part', () => {
    fixture.prepare();
    rmSync(join(fixture.store, '.claude/settings.json'));
    mkdirSync(join(fixture.store, '.claude/settings.json'));
    assert.throws(() => fixture.prepare('resume'), isUnusable);
    rmSync(join(fixture.store, '.claude'), { recursive: true });
    symlinkSync(fixture.home, join(fixture.store, '.claude'));
    assert.throws(() => fixture.prepare('resume'), isUnusable);
    assert.deepEqual(readdirSync(fixture.home), ['.coi']);
  });
});

test('a store that cannot be written is an error with a hint', () => {
  fixture.prepare();
  const part = join(fixture.store, '.claude');
  rmSync(part, { recursive: true });
  writeFileSync(part, '');
  chmodSync(part, 0o600);
  assert.throws(
    () => fixture.prepare('resume'),
    (error) => isUnusable(error) && (error as Error).message.includes('.claude'),
  );
});
