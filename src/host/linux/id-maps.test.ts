import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idMapText } from './id-maps.ts';

/** The id that an on-disk id is mapped to, parsed from the map as the kernel does: `inside outside count`. */
function shownAs(text: string, id: number): number | undefined {
  for (const line of text.trim().split('\n')) {
    const [inside = 0, outside = 0, count = 0] = line.split(' ').map(Number);
    if (id >= inside && id < inside + count) return outside + id - inside;
  }
  return undefined;
}

const anyId = fc.nat(4_294_967_294);

test('the owner is mapped to the agent, everybody else to themselves', () => {
  fc.assert(
    fc.property(anyId, anyId, anyId, (onDisk, shown, other) => {
      const text = idMapText({ onDisk, shown });
      assert.equal(shownAs(text, onDisk), shown);
      if (other !== onDisk && other !== shown) assert.equal(shownAs(text, other), other);
      if (onDisk !== shown) assert.equal(shownAs(text, shown), undefined);
    }),
  );
});

test('no two lines of a map overlap, inside or outside, and none is empty', () => {
  fc.assert(
    fc.property(fc.oneof(anyId, fc.constantFrom(0, 1, 1000)), anyId, (onDisk, shown) => {
      const lines = idMapText({ onDisk, shown })
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number));
      for (const column of [0, 1]) {
        const ranges = lines
          .map((line) => ({ from: line[column] ?? 0, count: line[2] ?? 0 }))
          .toSorted((a, b) => a.from - b.from);
        for (const [at, { from, count }] of ranges.entries()) {
          assert.ok(count > 0);
          assert.ok(from + count <= (ranges[at + 1]?.from ?? 4_294_967_295));
        }
      }
    }),
  );
});

test('only the excluded id is unmapped', () => {
  fc.assert(
    fc.property(
      anyId,
      anyId,
      fc.array(anyId, { maxLength: 4 }),
      anyId,
      (onDisk, shown, holes, other) => {
        const left = holes.filter((hole) => hole !== onDisk && hole !== shown);
        const text = idMapText({ onDisk, shown }, left);
        for (const hole of left) assert.equal(shownAs(text, hole), undefined);
        assert.equal(shownAs(text, onDisk), shown);
        if (![onDisk, shown, ...left].includes(other)) assert.equal(shownAs(text, other), other);
      },
    ),
  );
});
