import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { tarEntries } from './rootfs.ts';

const directory = mkdtempSync(join(tmpdir(), 'coi-rootfs-'));
after(() => rmSync(directory, { recursive: true }));

/** A tar file with one file of that content, as GNU tar writes it: padded with zero blocks to 10 KiB. */
function tarOf(name: string, content: Buffer): Buffer {
  writeFileSync(join(directory, name), content);
  return execFileSync('tar', ['-C', directory, '-c', name]);
}

test('joined tar files are one archive with every entry, even one that ends in zeros', () => {
  const zeros = Buffer.concat([Buffer.from('x'), Buffer.alloc(5000)]);
  const parts = [
    tarOf('one', zeros),
    tarOf('two', Buffer.alloc(0)),
    tarOf('three', Buffer.from('3')),
  ];
  const joined = Buffer.concat([...parts.map((part) => tarEntries()(part)), Buffer.alloc(1024)]);
  const path = join(directory, 'joined.tar');
  writeFileSync(path, joined);
  assert.equal(execFileSync('tar', ['-tf', path]).toString(), 'one\ntwo\nthree\n');
  assert.deepEqual(execFileSync('tar', ['-xOf', path, 'one']), zeros);
  // Without the cut a reader stops at the first end marker.
  writeFileSync(path, Buffer.concat(parts));
  assert.equal(execFileSync('tar', ['-tf', path]).toString(), 'one\n');
});

test('chunk boundaries make no difference to joining', () => {
  const whole = tarOf('piece', readFileSync(process.execPath).subarray(0, 3000));
  const expected = tarEntries()(whole);
  assert.equal(expected.length, 512 + 3072);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1 }), (sizes) => {
      const entries = tarEntries();
      const out: Buffer[] = [];
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        out.push(entries(whole.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(Buffer.concat(out), expected);
    }),
    { numRuns: 50 },
  );
});
