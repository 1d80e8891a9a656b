import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { claude, StorePlace, sessionId } from '../../../test/bed/store-place.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { parseSessionId, type WorkspacePath } from '../../names.ts';
import { findConversation } from './conversations.ts';
import {
  belongsTo,
  newestSession,
  type StoredWorkspace,
  storedSession,
  storedSessions,
} from './saved-sessions.ts';

let place: StorePlace;
beforeEach(() => {
  place = new StorePlace();
});
afterEach(() => place[Symbol.dispose]());

const known = (name: string) => (name === 'claude' ? claude : undefined);

/** A workspace of one name. */
const at = (path: string, hash: string) => ({
  path: path as WorkspacePath,
  real: path,
  hashes: [hash],
});

const newestOf = (workspace: StoredWorkspace) =>
  newestSession(storedSessions({ home: place.home }, hostFiles), (one) =>
    belongsTo(one, workspace),
  );

describe('conversations of a stored session', () => {
  const conversation = '11111111-2222-4333-8444-555555555555';
  const find = (workspace = '/workspace') =>
    findConversation({ home: place.home, tool: claude, id: sessionId, workspace }, hostFiles);
  const plant = (project: string, name: string, at: number) =>
    place.write(
      `.coi/sessions-claude/${sessionId}/.claude/projects/${project}/${name}`,
      '',
      new Date(at * 1000),
    );

  test('the newest one of the workspace is found', () => {
    place.prepare();
    assert.equal(find(), undefined);
    plant('-workspace', `${sessionId}.jsonl`, 1000);
    plant('-workspace', `${conversation}.jsonl`, 2000);
    plant('-other', '99999999-2222-4333-8444-555555555555.jsonl', 3000);
    assert.equal(find(), conversation);
    assert.equal(find('/other'), '99999999-2222-4333-8444-555555555555');
  });

  test('names that are no ids, and whatever is no file, are passed over', () => {
    place.prepare();
    plant('-workspace', '--dangerous.jsonl', 9000);
    plant('-workspace', 'agent-12.jsonl', 9000);
    plant('-workspace', `${conversation}.jsonl`, 1000);
    mkdirSync(join(place.store, `.claude/projects/-workspace/${sessionId}.jsonl`));
    symlinkSync(
      '/etc/passwd',
      join(place.store, '.claude/projects/-workspace/99999999-2222-4333-8444-555555555555.jsonl'),
    );
    assert.equal(find(), conversation);
  });

  test('a planted link in the place of the directory is not entered', () => {
    place.prepare();
    symlinkSync(join(place.home, 'elsewhere'), join(place.store, '.claude/projects'));
    place.write(`elsewhere/-workspace/${conversation}.jsonl`, '');
    assert.ok(existsSync(join(place.store, `.claude/projects/-workspace/${conversation}.jsonl`)));
    assert.equal(find(), undefined);
  });

  test('any number of planted files is only looked at up to a limit', () => {
    place.prepare();
    mkdirSync(join(place.store, '.claude/projects/-workspace'), { recursive: true });
    for (let count = 0; count < 60; count += 1)
      writeFileSync(join(place.store, `.claude/projects/-workspace/x${count}.jsonl`), '');
    let looked = 0;
    const counting = {
      ...claude,
      newestConversation: (files: readonly unknown[]) => {
        looked = files.length;
        return undefined;
      },
    };
    findConversation(
      { home: place.home, tool: counting, id: sessionId, workspace: '/workspace', entriesMax: 50 },
      hostFiles,
    );
    assert.ok(looked > 0 && looked <= 50, String(looked));
  });
});

describe('what is stored', () => {
  const other = parseSessionId('99999999-1111-4222-8333-444455556666');
  const list = () => storedSessions({ home: place.home, known }, hostFiles);

  test('nothing at all is an empty list', () => {
    assert.deepEqual(list(), []);
    assert.equal(storedSession(sessionId, { home: place.home }, hostFiles), undefined);
  });

  test('a recorded session is found, with its tool, newest first', () => {
    place.prepare();
    place.record('/p', 'coi-0123abcd-1', new Date(5000));
    place.prepare('new', { launch: place.launch('new', { sessionId: other }) });
    place.record('/q', 'coi-9999abcd-2', new Date(9000), other);
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

  test('a start that was interrupted is debris until something was said in it', () => {
    place.write('.claude/.credentials.json', 'x');
    place.prepare();
    assert.equal(list()[0]?.kind, 'debris');
    assert.equal(
      storedSessions({ home: place.home }, hostFiles)[0]?.kind,
      'broken',
      'what coi wrote is only known with the tool',
    );
    place.plant(`.claude/projects/-workspace/x.jsonl`, '');
    assert.equal(list()[0]?.kind, 'broken');
  });

  test('a damaged record is told, and the others are listed all the same', () => {
    place.prepare();
    place.record();
    place.prepare('new', { launch: place.launch('new', { sessionId: other }) });
    for (const damage of ['', '{', '[]', '\0\0\0']) {
      writeFileSync(join(place.home, `.coi/sessions-claude/${other}/metadata.json`), damage);
      assert.deepEqual(
        list()
          .map(({ kind }) => kind)
          .sort(),
        ['broken', 'saved'],
        JSON.stringify(damage),
      );
    }
    rmSync(join(place.home, `.coi/sessions-claude/${other}/metadata.json`));
    execFileSync('mkfifo', [join(place.home, `.coi/sessions-claude/${other}/metadata.json`)]);
    assert.deepEqual(
      list()
        .map(({ kind }) => kind)
        .sort(),
      ['broken', 'saved'],
    );
  });

  test('names that are no ids, files and links are passed over or told', () => {
    place.prepare();
    place.record();
    writeFileSync(join(place.home, '.coi/sessions-claude/notes'), '');
    symlinkSync('/etc', join(place.home, '.coi/sessions-claude', other));
    writeFileSync(join(place.home, '.coi/sessions-x'), '');
    assert.deepEqual(
      list()
        .map(({ kind }) => kind)
        .sort(),
      ['broken', 'saved'],
    );
  });

  test('recording again replaces the record as a whole', () => {
    place.prepare();
    place.record('/p', 'coi-0123abcd-1');
    place.record('/p', 'coi-0123abcd-4');
    const entry = storedSession(sessionId, { home: place.home }, hostFiles);
    assert.equal(entry?.kind === 'saved' && entry.metadata.container, 'coi-0123abcd-4');
    assert.deepEqual(readdirSync(place.store).sort(), ['.claude', 'metadata.json']);
  });

  test('a start that was killed anywhere is debris, and its id can be used again', () => {
    place.write('.claude/.credentials.json', '{"token":1}');
    place.write('.claude/CLAUDE.md', 'mine');
    place.prepare();
    const whole = new Map(
      readdirSync(join(place.store, '.claude')).map((name) => [
        name,
        place.stored(join('.claude', name)),
      ]),
    );
    const steps = [...whole.keys(), '.coi-0123456789abcdef'];
    for (const missing of steps.map((_, index) => steps.slice(index))) {
      for (const name of missing) rmSync(join(place.store, '.claude', name), { force: true });
      place.plant('.claude/.coi-0123456789abcdef', '{"tok');
      assert.equal(list()[0]?.kind, 'debris', `without ${missing}`);
      place.prepare();
      for (const [name, content] of whole)
        assert.equal(place.stored(join('.claude', name)), content, name);
    }
  });
});
