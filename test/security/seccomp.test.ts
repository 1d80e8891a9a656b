// Goal: calls denied to 64-bit programs are denied to 32-bit ones too, whatever the test machine's kernel can run.
// Method: the filters that the kernel applies to a container are read from it and evaluated for calls of each architecture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surfaceConfig } from '../../src/session/plan/kernel-surface.ts';
import { makeCoidBed } from '../incus/coid-bed.ts';
import { deniedCalls, deniedCalls32 } from './probes.ts';
import { architectures, type Call, failsWith, filtersOf, verdict, x32 } from './seccomp.ts';

const { x86_64, i386 } = architectures;
const [noSuchCall, notSupported] = [failsWith(38), failsWith(97)];
const allowed = 0x7fff_0000;
const [vsock, inet] = [40, 2];

test('denied system calls fail in 64-bit, x32 and i386 programs; without the list they work', {
  timeout: 120_000,
}, async () => {
  await using bed = await makeCoidBed();
  const filters = async (config: Readonly<Record<string, string>>) => {
    const { container } = await bed.session({ config });
    return filtersOf((await bed.incus.instanceState(container)).pid);
  };
  const [open, filtered] = [await filters({}), await filters(surfaceConfig('strict'))];
  const verdicts = (call: Call) => [verdict(open, call), verdict(filtered, call)];
  for (const [name, words] of Object.entries(deniedCalls)) {
    const number = Number.parseInt(words, 10);
    assert.deepEqual(verdicts({ arch: x86_64, number }), [allowed, noSuchCall], name);
    assert.deepEqual(verdicts({ arch: x86_64, number: x32 | number }), [allowed, noSuchCall], name);
    const number32 = deniedCalls32[name] ?? 0;
    assert.deepEqual(verdicts({ arch: i386, number: number32 }), [allowed, noSuchCall], name);
  }
  for (const number of [41, x32 | 41]) {
    const socket = (family: number) => verdicts({ arch: x86_64, number, args: [family, 1] });
    assert.deepEqual(socket(vsock), [allowed, notSupported]);
    // The kernel uses only half of the number.
    assert.deepEqual(socket(2 ** 32 + vsock), [allowed, notSupported]);
    assert.deepEqual(socket(inet), [allowed, allowed]);
  }
  // LXC has no rule for the 32-bit socket calls (docs/threat-model.md): this fails if it gets one.
  const call32 = { arch: i386, args: [vsock, 1] };
  assert.deepEqual(verdicts({ ...call32, number: 359 }), [allowed, allowed]);
});
