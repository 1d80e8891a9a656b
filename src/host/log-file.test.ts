import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { followFile, lastLines, openLogFile } from './log-file.ts';

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
  'a log that has grown is put aside, and only so many old ones are kept',
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

test(
  'a log is continued, and its last lines are found',
  inDirectory((path) => {
    openLogFile({ path })('a\nb\n');
    openLogFile({ path })('c\n');
    assert.deepEqual(lastLines(path, 2), ['b', 'c']);
    assert.deepEqual(lastLines(path, 0), []);
    assert.deepEqual(lastLines(path, 100), ['a', 'b', 'c']);
  }),
);

test(
  'following a log shows what is added, in the next file too',
  inDirectory(async (path) => {
    const write = openLogFile({ path, bytesMax: 24 });
    write('before\n');
    const stop = new AbortController();
    const lines: string[] = [];
    let wake = () => {};
    const following = followFile(path, (line) => lines.push(line) && wake(), stop.signal);
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
