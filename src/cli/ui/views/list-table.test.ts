// The session table on terminals of any width.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedContainer, SavedRow, SessionList } from '../../../session/record/listing.ts';
import { plain } from '../style.ts';
import { listTable } from './list-table.ts';

const nowMs = Date.UTC(2026, 0, 10);
const facts = { nowMs, home: '/home/me', columns: 100, style: plain };
const ago = (seconds: number) => new Date(nowMs - seconds * 1000);

const one: ListedContainer = {
  name: 'coi-abc12345-1',
  status: 'Running',
  createdAt: ago(90).toISOString(),
  image: 'coi default',
  persistent: true,
  ipv4: '10.0.0.5',
  pool: 'default',
  alias: 'shop',
  called: 'shop',
  workspace: '/home/me/code/shop',
  owner: undefined,
  attached: true,
  session: { id: 'an-id', slot: 1, tool: 'claude', mode: 'restricted', profile: undefined },
};
const bare: ListedContainer = {
  ...one,
  name: 'coi-build-1',
  called: 'coi-build-1',
  status: 'Stopped',
  createdAt: ago(4 * 86_400).toISOString(),
  persistent: false,
  workspace: undefined,
  attached: false,
  session: undefined,
};
const empty: SessionList = { status: undefined, containers: [], saved: undefined };
const saved: SavedRow = {
  id: '01234567-89ab-4cde-8f01-23456789abcd',
  savedAt: ago(7200),
  workspace: '/home/me/code/shop',
  tool: 'codex',
  firstWords: 'fix the heron',
};

describe('the table of sessions', () => {
  it('the session table has a line for each session', () => {
    assert.deepEqual(listTable({ ...empty, containers: [one, bare] }, facts), [
      'NAME         AGENT   STATUS             SLOT  AGE  WORKSPACE    PERSISTENT',
      'shop         claude  running, attached  1     1m   ~/code/shop  yes',
      'coi-build-1  -       stopped            -     4d   -            no',
    ]);
  });

  it('the session table never exceeds the terminal width and always shows session and state', () => {
    for (let columns = 1; columns < 100; columns += 1) {
      const lines = listTable(
        { ...empty, containers: [one, bare], saved: [saved] },
        { ...facts, columns },
      );
      for (const line of lines.slice(0, 3))
        assert.ok([...line].length <= columns, `${columns}: ${line}`);
    }
    const narrow = listTable({ ...empty, containers: [one] }, { ...facts, columns: 30 });
    assert.equal(narrow[1], 'shop  running, attached');
  });

  it('the session table says why a session is paused', () => {
    const paused = {
      ...one,
      status: 'Frozen',
      attached: false,
      security: 'paused: a\nlink',
    } as const;
    assert.deepEqual(listTable({ ...empty, containers: [paused] }, facts).slice(2), [
      'shop: paused: a\\nlink',
    ]);
  });

  it('the session table shows what each agent does and what it asks', () => {
    const asks = [
      { id: 'a', kind: 'permission', title: 'Bash', body: 'npm publish', options: [] },
      { id: 'b', kind: 'question', title: 'Which colour?', options: [] },
    ] as const;
    const rows: ListedContainer[] = [
      { ...one, attached: false, activity: { kind: 'asks', asks } },
      { ...one, called: 'two', attached: true, activity: { kind: 'idle', why: 'failed' } },
      { ...one, called: 'three', attached: false, activity: { kind: 'paused', by: 'monitor' } },
    ];
    assert.deepEqual(listTable({ ...empty, containers: rows }, facts), [
      'NAME   AGENT   STATUS                   SLOT  AGE  WORKSPACE    ASKS                    PERSISTENT',
      'shop   claude  asks                     1     1m   ~/code/shop  Bash: npm publish (+1)  yes',
      'two    claude  idle (failed), attached  1     1m   ~/code/shop                          yes',
      'three  claude  paused (monitor)         1     1m   ~/code/shop                          yes',
    ]);
  });

  it('the session table shows owners when it lists several users', () => {
    const [head, line] = listTable({ ...empty, containers: [{ ...one, owner: 1007 }] }, facts);
    assert.match(head ?? '', / OWNER /);
    assert.match(line ?? '', / 1007 /);
  });

  it('an empty session table says that there are no sessions', () => {
    assert.deepEqual(listTable({ ...empty, saved: [] }, facts), [
      'No sessions. `coi shell` starts one.',
      '',
      'No saved sessions.',
    ]);
    assert.deepEqual(listTable({ ...empty, status: 'Frozen' }, facts), ['No frozen sessions.']);
  });

  it('saved sessions are shown by an id prefix, or the full id when two prefixes are equal', () => {
    const other = { ...saved, id: '01234567-0000-4cde-8f01-23456789abcd' };
    const third = { ...saved, id: 'by-hand', tool: undefined, firstWords: undefined };
    const ids = (rows: readonly SavedRow[]) =>
      listTable({ ...empty, saved: rows }, facts)
        .slice(3, 3 + rows.length)
        .map((line) => line.split(' ')[0]);
    assert.deepEqual(ids([saved, third as unknown as SavedRow]), ['01234567', 'by-hand']);
    assert.deepEqual(ids([saved, other]), [saved.id, other.id]);
    assert.deepEqual(listTable({ ...empty, saved: [saved] }, facts).slice(2), [
      'SAVED     AGENT  AGE  WORKSPACE    FIRST WORDS',
      '01234567  codex  2h   ~/code/shop  fix the heron',
      'Resume one in its workspace: coi shell --resume=SAVED',
    ]);
  });
});
