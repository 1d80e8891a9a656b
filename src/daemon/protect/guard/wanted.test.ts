import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { Below } from '../../../host/fs/beneath.ts';
import { nothingProtected } from '../../../session/protect/protection-types.ts';
import { entriesMax, wantedBy } from './wanted.ts';

test('too many files are refused as soon as there are too many, in however many directories they are', () => {
  const [directory, file] = [statSync('/'), statSync('/proc/self/exe')];
  const names = Array.from({ length: entriesMax / 2 }, (_, n) => `${n}`);
  let asked = 0;
  const below: Pick<Below, 'stats' | 'names'> = {
    stats: (path) => {
      asked += 1;
      return path.includes('/') ? file : directory;
    },
    names: () => names,
  };
  const paths = Array.from({ length: 100 }, (_, n) => `p${n}`);
  const leaves = paths.map((path) => ({ path, kind: 'tree' as const, by: 'owner' as const }));
  assert.throws(
    () => wantedBy({ ...nothingProtected, leaves }, below as Below),
    /hold too many files/,
  );
  assert.ok(asked < 2 * entriesMax, `${asked}`);
});
