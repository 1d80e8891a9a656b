// Kernel settings and system call filters of containers. Pure.
import { CoiError } from '../../errors.ts';
import type { Config, Profile } from '../../incus/shapes.ts';

/** For every session. Ports below 1024 and `ping` need no root inside. */
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

/** ENOSYS, so that programs use a fallback. LXC also writes the rules for 32-bit calls. */
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
 * vsock reaches the hypervisor and bypasses the network guard (AF_VSOCK is 40, EAFNOSUPPORT 97). The kernel uses the lower
 * half of the argument, so only that is compared. LXC omits this rule for 32-bit programs (test/security/seccomp.test.ts).
 */
const noVsock = 'socket errno 97 [0,40,SCMP_CMP_MASKED_EQ,4294967295]';

export const surfaceKeys = ['security.syscalls.deny', 'security.syscalls.deny_default'];

export function surfaceConfig(surface: KernelSurface): Config {
  if (surface === 'full') return {};
  const calls = [...deniedCalls.reduced, ...(surface === 'strict' ? deniedCalls.strict : [])];
  return {
    'security.syscalls.deny': [...calls.map((name) => `${name} ${noSuchCall}`), noVsock].join('\n'),
    // Incus's default deny list applies even if a profile disables it.
    'security.syscalls.deny_default': 'true',
  };
}

/** Incus uses either an allow list or a deny list: an allow list in the profile would disable ours. Throws `session-failed`. */
export function refuseAllowList(profile: Profile | undefined, surface: KernelSurface): void {
  if (surface === 'full' || !profile?.config['security.syscalls.allow']) return;
  throw new CoiError(
    'session-failed',
    'the Incus profile "default" has security.syscalls.allow, so [security] reduce_kernel_surface cannot take effect',
    { hint: 'Run: incus profile unset default security.syscalls.allow' },
  );
}

/** Settings for Docker. Also set if it is off, so that a profile cannot enable it. */
export function dockerConfig(docker: boolean): Config {
  return {
    'security.nesting': String(docker),
    'security.syscalls.intercept.mknod': String(docker),
    'security.syscalls.intercept.setxattr': String(docker),
  };
}
