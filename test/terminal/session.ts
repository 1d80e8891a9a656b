// Small words that the tests of terminals share.
import assert from 'node:assert/strict';
import type { Instance } from '../../src/incus/shapes.ts';
import type { Bed } from '../bed/bed.ts';

/** `coi shell` with the stub agent; with every word that scripts know, also on a terminal (lines.test.ts is without). */
export function shellArgs(bed: Bed): string[] {
  return ['shell', '--image', bed.image, '--verbose'];
}

export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** The bed's instance, of which there must be one. */
export async function onlyInstance(bed: Bed): Promise<Instance> {
  const names = await bed.instances();
  assert.equal(names.length, 1, `instances: ${names.join(', ')}`);
  const found = await bed.incus.instance(names[0] ?? '');
  assert.ok(found);
  return found.instance;
}
