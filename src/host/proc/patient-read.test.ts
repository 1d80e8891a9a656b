// Goal: a read that the kernel does not answer costs its container what it asks for next, and nobody else.
// Method: files, and a C library whose reads of some of them do not end.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAio } from '../linux/aio.ts';
import { PatientReads, waits } from './patient-read.ts';

const place = mkdtempSync('/tmp/coit-reads-');
after(() => rmSync(place, { recursive: true, force: true }));

test('what is there is read, what is not is not', async () => {
  const reader = new PatientReads(await loadAio(), noLinks).forContainer();
  writeFileSync(join(place, 'file'), 'é\0b');
  assert.equal(reader.read(join(place, 'file')), 'é\0b');
  assert.equal(reader.read(join(place, 'file'), 'latin1'), 'Ã©\0b');
  assert.equal(reader.read(join(place, 'missing')), undefined);
  assert.equal(
    reader.read('/proc/self/stat', 'latin1')?.toString().split(' ')[0],
    `${process.pid}`,
  );
});

test('what is held up is not asked again until it is over, and too much of it stops its container alone', async () => {
  const reads = new PatientReads(await heldAio(), noLinks, 1);
  const [one, other] = [reads.forContainer(), reads.forContainer()];
  const path = (name: string) => join(place, name, 'cmdline');
  for (let index = 0; index < 9; index += 1) {
    mkdirSync(join(place, `p${index}`));
    writeFileSync(path(`p${index}`), 'x');
  }
  held.add(0).add(1).add(2).add(3).add(4).add(5).add(6).add(7);
  for (let index = 0; index < 8; index += 1) assert.equal(one.read(path(`p${index}`)), waits);
  assert.equal(begun, 8);
  assert.equal(one.read(path('p0')), waits);
  assert.equal(one.read(path('p8')), waits);
  assert.equal(begun, 8);
  assert.equal(other.read(path('p8')), 'x');
  held.delete(3);
  assert.equal(one.read(path('p8')), 'x');
  assert.equal(one.read(path('p0')), waits);
  assert.equal(one.read(path('p3')), 'x');
});

test('a process of which a link is held up is left alone, and so are all links of its container', async () => {
  let over = false;
  const links = {
    begin: () => {},
    read: (paths: readonly string[]) =>
      paths[0] === '/proc/1/exe' ? { isOver: () => over } : paths.map(() => 'there'),
  };
  const reads = new PatientReads(await loadAio(), links);
  const [one, other] = [reads.forContainer(), reads.forContainer()];
  assert.deepEqual(one.links(['/proc/2/exe']), ['there']);
  assert.equal(one.links(['/proc/1/exe', '/proc/1/cwd']), waits);
  assert.equal(one.links(['/proc/2/exe']), waits);
  assert.equal(one.read('/proc/1/task/1/stat'), waits);
  assert.equal(typeof one.read('/proc/self/stat'), 'string');
  assert.deepEqual(other.links(['/proc/2/exe']), ['there']);
  over = true;
  assert.deepEqual(one.links(['/proc/2/exe']), ['there']);
  assert.equal(typeof one.read('/proc/1/task/1/stat'), 'string');
});

const noLinks = { begin: () => {}, read: () => [] };
const held = new Set<number>();
let begun = 0;

/** Reads of these numbers, in the order in which they begin, do not end. */
async function heldAio(): ReturnType<typeof loadAio> {
  return {
    slot: () => {
      let number = -1;
      return {
        begin: () => {
          number = begun;
          begun += 1;
        },
        wait: () => !held.has(number),
        result: () => Buffer.from('x'),
      };
    },
  };
}
