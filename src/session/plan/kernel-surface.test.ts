import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../incus/shapes.ts';
import { kernelSurface, refuseAllowList, surfaceConfig } from './kernel-surface.ts';

test("the strict list includes the other one, and Incus's own list stays active", () => {
  const keys = (reduce: boolean, strict: boolean) =>
    surfaceConfig(
      kernelSurface({
        'security.reduce_kernel_surface': reduce,
        'security.reduce_kernel_surface_strict': strict,
      }),
    );
  assert.deepEqual(keys(false, false), {});
  const reduced = keys(true, false)['security.syscalls.deny']?.split('\n') ?? [];
  const strict = keys(false, true)['security.syscalls.deny']?.split('\n') ?? [];
  assert.deepEqual(
    strict.filter((line) => !reduced.includes(line)),
    ['perf_event_open errno 38'],
  );
  assert.ok(reduced.length > 8 && reduced.every((line) => strict.includes(line)));
  assert.equal(keys(true, false)['security.syscalls.deny_default'], 'true');
});

test('a profile with an allowlist of system calls, which makes ours ineffective, refuses the start', () => {
  const profile: Profile = {
    name: 'default',
    description: '',
    config: { 'security.syscalls.allow': 'read' },
    devices: {},
    used_by: [],
  };
  assert.throws(() => refuseAllowList(profile, 'reduced'), { code: 'session-failed' });
  refuseAllowList(profile, 'full');
});
