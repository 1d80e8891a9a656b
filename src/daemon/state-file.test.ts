// State files survive a crash, or count as missing.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod/mini';
import { readState, stateFiles, writeState } from './state-file.ts';

const shape = z.object({ id: z.string() });

function inDirectory(use: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'coi-state-'));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a written state is read back, and only its owner can read the file', () =>
  inDirectory((directory) => {
    const path = join(directory, 'a/one.json');
    writeState(path, JSON.stringify({ id: 'x' }), { flush: false });
    writeState(path, JSON.stringify({ id: 'y' }), { flush: true });
    assert.deepEqual(readState(path, shape), { id: 'y' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(directory, 'a')), ['one.json']);
  }));

test('a state file that is missing, truncated or of another shape reads as undefined', () =>
  inDirectory((directory) => {
    const path = join(directory, 'one.json');
    assert.equal(readState(path, shape), undefined);
    assert.equal(readState(join(path, 'below'), shape), undefined);
    for (const text of ['', '{"id":"x', '{"id":1}', 'null', '[]']) {
      writeFileSync(path, text);
      assert.equal(readState(path, shape), undefined, text);
    }
  }));

test('partial state files from a crash are removed', () =>
  inDirectory((directory) => {
    for (const name of ['a', 'b.new']) writeFileSync(join(directory, name), '{}');
    assert.deepEqual(stateFiles(directory), ['a']);
    assert.deepEqual(readdirSync(directory), ['a']);
    assert.deepEqual(stateFiles(join(directory, 'made/now')), []);
  }));

test('a state file that cannot be read throws instead of reading as undefined', () =>
  inDirectory((directory) => {
    assert.throws(() => readState(directory, shape), /EISDIR/);
  }));
