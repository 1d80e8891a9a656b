import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { Beneath } from '../../../host/fs/beneath.ts';
import { nothingProtected } from '../../../session/protect/protection-types.ts';
import { entriesMax, guardTargets } from './targets.ts';

test('too many files are refused as soon as the limit is reached, in any number of directories', () => {
  const [directory, file] = [statSync('/'), statSync('/proc/self/exe')];
  const names = Array.from({ length: entriesMax / 2 }, (_, n) => `${n}`);
  let lookups = 0;
  const below: Pick<Beneath, 'stats' | 'names'> = {
    stats: (path) => {
      lookups += 1;
      return path.includes('/') ? file : directory;
    },
    names: () => names,
  };
  const paths = Array.from({ length: 100 }, (_, n) => `p${n}`);
  const leaves = paths.map((path) => ({ path, kind: 'tree' as const, by: 'owner' as const }));
  assert.throws(
    () => guardTargets({ ...nothingProtected, leaves }, below as Beneath),
    /contain too many files/,
  );
  assert.ok(lookups < 2 * entriesMax, `${lookups}`);
});
