// Copies of a running program, from its file or, if that cannot be read, from memory.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyMemory, copyProgram, parseMappings } from './program-copy.ts';

const directory = mkdtempSync(join(tmpdir(), 'coi-program-'));
const program = realpathSync('/usr/bin/cat');
let child: ChildProcess;

before(async () => {
  child = spawn(program);
  child.stdin?.write('it runs\n');
  if (child.stdout) await once(child.stdout, 'data');
});

after(() => {
  child.kill();
  rmSync(directory, { recursive: true, force: true });
});

test('a program is copied from its file', async () => {
  const target = join(directory, 'file');
  const copied = await copyProgram(child.pid ?? 0, target);
  assert.deepEqual(copied, { pid: child.pid, program, kept: 'file' });
  assert.deepEqual(readFileSync(target), readFileSync(program));
});

test("the program's memory is at the right offset in the copy", async () => {
  const target = join(directory, 'memory');
  await copyMemory(child.pid ?? 0, program, target);
  const [copy, whole] = [readFileSync(target), readFileSync(program)];
  assert.deepEqual(copy.subarray(0, 64), whole.subarray(0, 64));
  const pages = Array.from({ length: Math.floor(copy.length / 4096) }, (_, page) => page * 4096);
  const same = pages.filter((at) =>
    copy.subarray(at, at + 4096).equals(whole.subarray(at, at + 4096)),
  );
  assert.ok(same.length > 2, `${same.length} pages of ${pages.length}`);
});

test('a process that is gone is reported', async () => {
  const { kept, reason } = await copyProgram(2 ** 22 + 1, join(directory, 'none'));
  assert.equal(kept, 'none');
  assert.match(reason ?? '', /ENOENT/);
});

test('only mappings of the program itself are copied', () => {
  const maps = `55d0c8a00000-55d0c8a02000 r--p 00000000 00:2c 1234                       /mnt/f/a tool
55d0c8a02000-55d0c8a06000 r-xp 00002000 00:2c 1234                       /mnt/f/a tool
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 
7f0000001000-7f0000002000 r--p 00000000 08:01 99                         /usr/lib/libc.so.6
`;
  assert.deepEqual(parseMappings(maps, '/mnt/f/a tool'), [
    { start: 0x55d0c8a00000, end: 0x55d0c8a02000, offset: 0 },
    { start: 0x55d0c8a02000, end: 0x55d0c8a06000, offset: 0x2000 },
  ]);
});
