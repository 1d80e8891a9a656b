// Goal: a read that the kernel does not answer delays only further reads of the same container.
// Method: files, and a C library whose reads of some of them do not return.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAio } from '../linux/aio.ts';
import { BoundedReads, blockedRead } from './bounded-read.ts';

const directory = mkdtempSync('/tmp/coit-reads-');
after(() => rmSync(directory, { recursive: true, force: true }));

test('existing files are read, missing ones are undefined', async () => {
  const reader = new BoundedReads(await loadAio(), noLinks).forContainer();
  writeFileSync(join(directory, 'file'), 'é\0b');
  assert.equal(reader.read(join(directory, 'file')), 'é\0b');
  assert.equal(reader.read(join(directory, 'file'), 'latin1'), 'Ã©\0b');
  assert.equal(reader.read(join(directory, 'missing')), undefined);
  assert.equal(
    reader.read('/proc/self/stat', 'latin1')?.toString().split(' ')[0],
    `${process.pid}`,
  );
});

test('a blocked read is not repeated until it returns, and too many block only their container', async () => {
  const reads = new BoundedReads(await heldAio(), noLinks, 1);
  const [one, other] = [reads.forContainer(), reads.forContainer()];
  const path = (name: string) => join(directory, name, 'cmdline');
  for (let index = 0; index < 9; index += 1) {
    mkdirSync(join(directory, `p${index}`));
    writeFileSync(path(`p${index}`), 'x');
  }
  blocked.add(0).add(1).add(2).add(3).add(4).add(5).add(6).add(7);
  for (let index = 0; index < 8; index += 1) assert.equal(one.read(path(`p${index}`)), blockedRead);
  assert.equal(begun, 8);
  assert.equal(one.read(path('p0')), blockedRead);
  assert.equal(one.read(path('p8')), blockedRead);
  assert.equal(begun, 8);
  assert.equal(other.read(path('p8')), 'x');
  blocked.delete(3);
  assert.equal(one.read(path('p8')), 'x');
  assert.equal(one.read(path('p0')), blockedRead);
  assert.equal(one.read(path('p3')), 'x');
});

test('a process with a blocked link is skipped, and so are all links of its container', async () => {
  let over = false;
  const links = {
    begin: () => {},
    read: (paths: readonly string[]) =>
      paths[0] === '/proc/1/exe' ? { isOver: () => over } : paths.map(() => 'there'),
  };
  const reads = new BoundedReads(await loadAio(), links);
  const [one, other] = [reads.forContainer(), reads.forContainer()];
  assert.deepEqual(one.links(['/proc/2/exe']), ['there']);
  assert.equal(one.links(['/proc/1/exe', '/proc/1/cwd']), blockedRead);
  assert.equal(one.links(['/proc/2/exe']), blockedRead);
  assert.equal(one.read('/proc/1/task/1/stat'), blockedRead);
  assert.equal(typeof one.read('/proc/self/stat'), 'string');
  assert.deepEqual(other.links(['/proc/2/exe']), ['there']);
  over = true;
  assert.deepEqual(one.links(['/proc/2/exe']), ['there']);
  assert.equal(typeof one.read('/proc/1/task/1/stat'), 'string');
});

const noLinks = { begin: () => {}, read: () => [] };
const blocked = new Set<number>();
let begun = 0;

/** Reads with these numbers, in start order, do not return. */
async function heldAio(): ReturnType<typeof loadAio> {
  return {
    slot: () => {
      let number = -1;
      return {
        begin: () => {
          number = begun;
          begun += 1;
        },
        wait: () => !blocked.has(number),
        result: () => Buffer.from('x'),
      };
    },
  };
}
