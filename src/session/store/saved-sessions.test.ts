import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { claude, StoreFixture, sessionId } from '../../../test/bed/store-fixture.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { parseSessionId, type WorkspacePath } from '../../names.ts';
import type { Tool } from '../../tools/tool.ts';
import { findConversation } from './conversations.ts';
import {
  belongsToWorkspace,
  newestSession,
  type StoredWorkspace,
  storedSession,
  storedSessions,
} from './saved-sessions.ts';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const known = (name: string) => (name === 'claude' ? claude : undefined);

/** A workspace with one name. */
const at = (path: string, hash: string) => ({
  path: path as WorkspacePath,
  real: path,
  hashes: [hash],
});

const newestOf = (workspace: StoredWorkspace) =>
  newestSession(storedSessions({ home: fixture.home }, hostFiles), (one) =>
    belongsToWorkspace(one, workspace),
  );

describe('conversations of a stored session', () => {
  const conversation = '11111111-2222-4333-8444-555555555555';
  const find = (workspace = '/workspace') =>
    findConversation({ home: fixture.home, tool: claude, id: sessionId, workspace }, hostFiles);
  const plant = (project: string, name: string, at: number) =>
    fixture.write(
      `.coi/sessions-claude/${sessionId}/.claude/projects/${project}/${name}`,
      '',
      new Date(at * 1000),
    );

  test('the newest conversation of the workspace is found', () => {
    fixture.prepare();
    assert.equal(find(), undefined);
    plant('-workspace', `${sessionId}.jsonl`, 1000);
    plant('-workspace', `${conversation}.jsonl`, 2000);
    plant('-other', '99999999-2222-4333-8444-555555555555.jsonl', 3000);
    assert.equal(find(), conversation);
    assert.equal(find('/other'), '99999999-2222-4333-8444-555555555555');
  });

  test('invalid ids and entries that are not files are skipped', () => {
    fixture.prepare();
    plant('-workspace', '--dangerous.jsonl', 9000);
    plant('-workspace', 'agent-12.jsonl', 9000);
    plant('-workspace', `${conversation}.jsonl`, 1000);
    mkdirSync(join(fixture.store, `.claude/projects/-workspace/${sessionId}.jsonl`));
    symlinkSync(
      '/etc/passwd',
      join(fixture.store, '.claude/projects/-workspace/99999999-2222-4333-8444-555555555555.jsonl'),
    );
    assert.equal(find(), conversation);
  });

  test('a planted link in place of the directory is not followed', () => {
    fixture.prepare();
    symlinkSync(join(fixture.home, 'elsewhere'), join(fixture.store, '.claude/projects'));
    fixture.write(`elsewhere/-workspace/${conversation}.jsonl`, '');
    assert.ok(existsSync(join(fixture.store, `.claude/projects/-workspace/${conversation}.jsonl`)));
    assert.equal(find(), undefined);
  });

  test('planted files are checked only up to a limit', () => {
    fixture.prepare();
    mkdirSync(join(fixture.store, '.claude/projects/-workspace'), { recursive: true });
    for (let count = 0; count < 60; count += 1)
      writeFileSync(join(fixture.store, `.claude/projects/-workspace/x${count}.jsonl`), '');
    let looked = 0;
    const counting = {
      ...claude,
      newestConversation: (files: readonly unknown[]) => {
        looked = files.length;
        return undefined;
      },
    };
    findConversation(
      {
        home: fixture.home,
        tool: counting,
        id: sessionId,
        workspace: '/workspace',
        entriesMax: 50,
      },
      hostFiles,
    );
    assert.ok(looked > 0 && looked <= 50, String(looked));
  });
});

describe('saved sessions', () => {
  const other = parseSessionId('99999999-1111-4222-8333-444455556666');
  const list = () => storedSessions({ home: fixture.home, known }, hostFiles);

  test('an empty store is an empty list', () => {
    assert.deepEqual(list(), []);
    assert.equal(storedSession(sessionId, { home: fixture.home }, hostFiles), undefined);
  });

  test('a recorded session is listed with its tool, newest first', () => {
    fixture.prepare();
    fixture.record('/p', 'coi-0123abcd-1', new Date(5000));
    fixture.prepare('new', { launch: fixture.launch('new', { sessionId: other }) });
    fixture.record('/q', 'coi-9999abcd-2', new Date(9000), other);
    assert.deepEqual(
      list().map(
        (entry) =>
          entry.kind === 'saved' && [
            entry.metadata.sessionId,
            entry.metadata.tool,
            entry.metadata.workspace,
          ],
      ),
      [
        [other, 'claude', '/q'],
        [sessionId, 'claude', '/p'],
      ],
    );
    assert.equal(newestOf(at('/p', '00000000'))?.sessionId, sessionId);
    assert.equal(
      newestOf(at('/moved', '0123abcd'))?.sessionId,
      sessionId,
      'by the hash in the name of its container',
    );
    const names = { path: '/link' as WorkspacePath, real: '/real', hashes: ['1', '0123abcd'] };
    assert.ok(newestOf(names), 'by the hash of its other name');
    assert.equal(newestOf(at('/none', '00000000')), undefined);
  });

  test('an interrupted start is debris until it has a conversation', () => {
    fixture.write('.claude/.credentials.json', 'x');
    fixture.prepare();
    assert.equal(list()[0]?.kind, 'debris');
    assert.equal(
      storedSessions({ home: fixture.home }, hostFiles)[0]?.kind,
      'broken',
      'what coi wrote is only known with the tool',
    );
    fixture.plant(`.claude/projects/-workspace/x.jsonl`, '');
    assert.equal(list()[0]?.kind, 'broken');
  });

  test("a start that was interrupted after coi's own files were written is debris", () => {
    const path = '.claude/coi/status.sh';
    fixture.prepare('new', { ownFiles: [{ path, text: 'x' }] });
    const kindWith = (tool: Tool) =>
      storedSessions({ home: fixture.home, known: () => tool }, hostFiles)[0]?.kind;
    assert.equal(kindWith({ ...claude, ownFiles: [{ path, content: { text: 'x' } }] }), 'debris');
    assert.equal(kindWith(claude), 'broken', 'control');
  });

  test('a damaged record is reported, and the other sessions are listed', () => {
    fixture.prepare();
    fixture.record();
    fixture.prepare('new', { launch: fixture.launch('new', { sessionId: other }) });
    for (const damage of ['', '{', '[]', '\0\0\0']) {
      writeFileSync(join(fixture.home, `.coi/sessions-claude/${other}/metadata.json`), damage);
      assert.deepEqual(
        list()
          .map(({ kind }) => kind)
          .sort(),
        ['broken', 'saved'],
        JSON.stringify(damage),
      );
    }
    rmSync(join(fixture.home, `.coi/sessions-claude/${other}/metadata.json`));
    execFileSync('mkfifo', [join(fixture.home, `.coi/sessions-claude/${other}/metadata.json`)]);
    assert.deepEqual(
      list()
        .map(({ kind }) => kind)
        .sort(),
      ['broken', 'saved'],
    );
  });

  test('invalid ids, files and links are skipped or reported', () => {
    fixture.prepare();
    fixture.record();
    writeFileSync(join(fixture.home, '.coi/sessions-claude/notes'), '');
    symlinkSync('/etc', join(fixture.home, '.coi/sessions-claude', other));
    writeFileSync(join(fixture.home, '.coi/sessions-x'), '');
    assert.deepEqual(
      list()
        .map(({ kind }) => kind)
        .sort(),
      ['broken', 'saved'],
    );
  });

  test('recording again replaces the record atomically', () => {
    fixture.prepare();
    fixture.record('/p', 'coi-0123abcd-1');
    fixture.record('/p', 'coi-0123abcd-4');
    const entry = storedSession(sessionId, { home: fixture.home }, hostFiles);
    assert.equal(entry?.kind === 'saved' && entry.metadata.container, 'coi-0123abcd-4');
    assert.deepEqual(readdirSync(fixture.store).sort(), ['.claude', 'metadata.json']);
  });

  test('a start that is killed at any step is debris, and its id can be reused', () => {
    fixture.write('.claude/.credentials.json', '{"token":1}');
    fixture.write('.claude/CLAUDE.md', 'mine');
    fixture.prepare();
    const whole = new Map(
      readdirSync(join(fixture.store, '.claude')).map((name) => [
        name,
        fixture.stored(join('.claude', name)),
      ]),
    );
    const steps = [...whole.keys(), '.coi-0123456789abcdef'];
    for (const missing of steps.map((_, index) => steps.slice(index))) {
      for (const name of missing) rmSync(join(fixture.store, '.claude', name), { force: true });
      fixture.plant('.claude/.coi-0123456789abcdef', '{"tok');
      assert.equal(list()[0]?.kind, 'debris', `without ${missing}`);
      fixture.prepare();
      for (const [name, content] of whole)
        assert.equal(fixture.stored(join('.claude', name)), content, name);
    }
  });
});
