// Helpers for terminal tests.
import assert from 'node:assert/strict';
import type { Instance } from '../../src/incus/shapes.ts';
import type { Bed } from '../bed/bed.ts';

/** `coi shell` with the stub agent; prints all messages for scripts, even on a terminal (lines.test.ts does not). */
export function shellArgs(bed: Bed): string[] {
  return ['shell', '--image', bed.image, '--verbose'];
}

export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** The bed's only instance. */
export async function onlyInstance(bed: Bed): Promise<Instance> {
  const names = await bed.instances();
  assert.equal(names.length, 1, `instances: ${names.join(', ')}`);
  const found = await bed.incus.instance(names[0] ?? '');
  assert.ok(found);
  return found.instance;
}
