// What of the host's kernel every container gets, and which of its system calls. Pure.
import { CoiError } from '../../errors.ts';
import type { Config, Profile } from '../../incus/shapes.ts';

/** Of every session. Ports below 1024 and `ping` need no root inside. */
export const baseConfig: Config = {
  'boot.autostart': 'false',
  'security.guestapi': 'false',
  'security.idmap.isolated': 'true',
  'linux.sysctl.net.ipv4.ip_unprivileged_port_start': '0',
  'linux.sysctl.net.ipv4.ping_group_range': '0 65534',
};

/** `[security] reduce_kernel_surface` and `_strict`. */
export type KernelSurface = 'full' | 'reduced' | 'strict';

export interface SurfaceConfig {
  readonly 'security.reduce_kernel_surface': boolean;
  readonly 'security.reduce_kernel_surface_strict': boolean;
}

export function kernelSurface(config: SurfaceConfig): KernelSurface {
  if (config['security.reduce_kernel_surface_strict']) return 'strict';
  return config['security.reduce_kernel_surface'] ? 'reduced' : 'full';
}

/** With "no such system call" programs take another way; LXC writes the rules for the 32-bit calls, too. */
const noSuchCall = 'errno 38';
const deniedCalls: Readonly<Record<KernelSurface, readonly string[]>> = {
  full: [],
  reduced: [
    ...['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    ...['bpf', 'userfaultfd'],
    ...['keyctl', 'add_key', 'request_key'],
  ],
  strict: ['perf_event_open'],
};
/**
 * A way to the hypervisor past every network guard (AF_VSOCK is 40, "not supported" 97). The kernel takes the lower half
 * of the argument, so only that is compared. Of 32-bit programs LXC leaves the call out (test/security/seccomp.test.ts).
 */
const noVsock = 'socket errno 97 [0,40,SCMP_CMP_MASKED_EQ,4294967295]';

export const surfaceKeys = ['security.syscalls.deny', 'security.syscalls.deny_default'];

export function surfaceConfig(surface: KernelSurface): Config {
  if (surface === 'full') return {};
  const calls = [...deniedCalls.reduced, ...(surface === 'strict' ? deniedCalls.strict : [])];
  return {
    'security.syscalls.deny': [...calls.map((name) => `${name} ${noSuchCall}`), noVsock].join('\n'),
    // The list that Incus has by itself stays in force whatever a profile says.
    'security.syscalls.deny_default': 'true',
  };
}

/** Incus takes one list or the other; a list of what is allowed in the profile would leave ours out. Throws `session-failed`. */
export function refuseOtherList(profile: Profile | undefined, surface: KernelSurface): void {
  if (surface === 'full' || !profile?.config['security.syscalls.allow']) return;
  throw new CoiError(
    'session-failed',
    'the Incus profile "default" has security.syscalls.allow, so [security] reduce_kernel_surface cannot take effect',
    { hint: 'Run: incus profile unset default security.syscalls.allow' },
  );
}

/** What Docker needs. Said also where it is off: a profile that allows it must not decide. */
export function dockerConfig(docker: boolean): Config {
  return {
    'security.nesting': String(docker),
    'security.syscalls.intercept.mknod': String(docker),
    'security.syscalls.intercept.setxattr': String(docker),
  };
}
