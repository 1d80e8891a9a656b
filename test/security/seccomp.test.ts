// Goal: what is refused to 64-bit programs is refused to 32-bit ones, too, whatever the kernel of the tests can run.
// Method: the filters that the kernel holds for a container are read from it and asked about calls of each architecture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surfaceConfig } from '../../src/session/plan/kernel-surface.ts';
import { coidBed } from '../incus/coid-bed.ts';
import { deniedCalls, deniedCalls32 } from './probes.ts';
import { architectures, type Call, failsWith, filtersOf, verdict, x32 } from './seccomp.ts';

const { x86_64, i386 } = architectures;
const [noSuchCall, notSupported] = [failsWith(38), failsWith(97)];
const allowed = 0x7fff_0000;
const [vsock, inet] = [40, 2];

test('the list of denied calls holds for 64-bit, x32 and i386 programs; without it they are allowed', {
  timeout: 120_000,
}, async () => {
  await using bed = await coidBed();
  const filters = async (config: Readonly<Record<string, string>>) => {
    const { container } = await bed.session({ config });
    return filtersOf((await bed.incus.instanceState(container)).pid);
  };
  const [open, held] = [await filters({}), await filters(surfaceConfig('strict'))];
  const asked = (call: Call) => [verdict(open, call), verdict(held, call)];
  for (const [name, words] of Object.entries(deniedCalls)) {
    const number = Number.parseInt(words, 10);
    assert.deepEqual(asked({ arch: x86_64, number }), [allowed, noSuchCall], name);
    assert.deepEqual(asked({ arch: x86_64, number: x32 | number }), [allowed, noSuchCall], name);
    const number32 = deniedCalls32[name] ?? 0;
    assert.deepEqual(asked({ arch: i386, number: number32 }), [allowed, noSuchCall], name);
  }
  for (const number of [41, x32 | 41]) {
    const socket = (family: number) => asked({ arch: x86_64, number, args: [family, 1] });
    assert.deepEqual(socket(vsock), [allowed, notSupported]);
    // The kernel looks at half of the number only.
    assert.deepEqual(socket(2 ** 32 + vsock), [allowed, notSupported]);
    assert.deepEqual(socket(inet), [allowed, allowed]);
  }
  // LXC has no rule for what 32-bit programs call for a socket (docs/threat-model.md): should it have one some day, we want to know.
  const call32 = { arch: i386, args: [vsock, 1] };
  assert.deepEqual(asked({ ...call32, number: 359 }), [allowed, allowed]);
});
