import assert from 'node:assert/strict';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lastLines, openLogFile, tailFile } from './log-file.ts';

function inDirectory(use: (path: string) => void | Promise<void>) {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'coit-log-'));
    try {
      await use(join(directory, 'logs', 'coid.log'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

test(
  'a log that has grown is rotated, and only a limited number of old ones is kept',
  inDirectory((path) => {
    const write = openLogFile({ path, bytesMax: 20, oldFilesMax: 2 });
    for (let number = 1; number <= 9; number += 1) write(`line ${number}...\n`);
    assert.deepEqual(readdirSync(join(path, '..')).toSorted(), [
      'coid.log',
      'coid.log.1',
      'coid.log.2',
    ]);
    assert.deepEqual(
      [path, `${path}.1`, `${path}.2`].map((file) => readFileSync(file, 'utf8')),
      ['line 9...\n', 'line 7...\nline 8...\n', 'line 5...\nline 6...\n'],
    );
  }),
);

/** A directory that blocks the rotation: at the target of the rename, or at the name of the new file. */
for (const inTheWay of ['coid.log.1', 'coid.log.new'])
  test(
    `a log that cannot be rotated (${inTheWay} is a directory) stays open, and no other file is closed`,
    inDirectory((path) => {
      const failures: unknown[] = [];
      const onFailure = (error: unknown) => failures.push(error);
      const write = openLogFile({ path, bytesMax: 20, oldFilesMax: 1, onRotateError: onFailure });
      mkdirSync(join(path, '..', inTheWay, 'full'), { recursive: true });
      write('line 1...\n');
      write('line 2...\n');
      write('line 3...\n');
      // These get the lowest free descriptors: the log's, if it was closed.
      const others = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
      for (let number = 4; number <= 9; number += 1) write(`line ${number}...\n`);
      for (const other of others) {
        fstatSync(other);
        closeSync(other);
      }
      assert.equal(readFileSync(path, 'utf8').split('\n').length, 10, 'all nine lines');
      assert.ok(failures.length >= 1 && failures.length < 6, `reported ${failures.length} times`);
      rmSync(join(path, '..', inTheWay), { recursive: true });
      for (let number = 1; number <= 9; number += 1) write(`later ${number}..\n`);
      assert.equal(readFileSync(path, 'utf8'), 'later 8..\nlater 9..\n');
    }),
  );

test(
  'an old log that cannot be moved does not block rotation',
  inDirectory((path) => {
    const write = openLogFile({ path, bytesMax: 20, oldFilesMax: 2 });
    mkdirSync(join(`${path}.2`, 'full'), { recursive: true });
    for (let number = 1; number <= 5; number += 1) write(`line ${number}...\n`);
    assert.equal(readFileSync(path, 'utf8'), 'line 5...\n');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'line 3...\nline 4...\n');
  }),
);

test(
  'an existing log is appended to, and lastLines returns its last lines',
  inDirectory((path) => {
    openLogFile({ path })('a\nb\n');
    openLogFile({ path })('c\n');
    assert.deepEqual(lastLines(path, 2), ['b', 'c']);
    assert.deepEqual(lastLines(path, 0), []);
    assert.deepEqual(lastLines(path, 100), ['a', 'b', 'c']);
  }),
);

test(
  'following a log prints new lines, across rotation too',
  inDirectory(async (path) => {
    const write = openLogFile({ path, bytesMax: 24 });
    write('before\n');
    const stop = new AbortController();
    const lines: string[] = [];
    let wake = () => {};
    const following = tailFile(path, (line) => lines.push(line) && wake(), stop.signal);
    const until = (count: number) =>
      new Promise<void>((resolve) => {
        wake = () => void (lines.length >= count && resolve());
        wake();
      });
    write('one\n');
    await until(1);
    write('a line that is too long for both\n');
    await until(2);
    stop.abort();
    await following;
    assert.deepEqual(lines, ['one', 'a line that is too long for both']);
  }),
);
