// Checks of the distribution, the kernel and control groups.
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import { incusOrigin, parseRelease } from '../os-release.ts';

export const distribution: Check = {
  id: 'os',
  title: 'Operating system',
  group: 'SYSTEM',
  run: async ({ host }) => {
    const text = await host.readText('/etc/os-release');
    if (text === undefined) return finding('warning', 'unknown: there is no /etc/os-release');
    const release = parseRelease(text);
    const details = { id: release.id, version: release.version ?? null };
    if (incusOrigin(release).kind !== 'unknown') return ok(release.title, details);
    return finding('warning', `${release.title}, on which coi is not tested`, details, {
      hint: 'Install Incus 6.0 or newer first; coi is tested on Debian 12 and 13.',
    });
  },
};

/** Idmapped mounts of btrfs came with Linux 5.15. */
const oldestKernel = [5, 15] as const;

export const kernel: Check = {
  id: 'kernel_version',
  title: 'Kernel',
  group: 'SYSTEM',
  run: async ({ host }) => {
    const [release, namespaces] = await Promise.all(
      ['/proc/sys/kernel/osrelease', '/proc/sys/user/max_user_namespaces'].map((path) =>
        host.readText(path),
      ),
    );
    return kernelFinding(release?.trim() ?? '', Number(namespaces ?? Number.NaN));
  },
};

/** Judges `uname -r` and the number of user namespaces that the kernel allows. */
export function kernelFinding(release: string, userNamespaces: number): Finding {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [oldMajor, oldMinor] = oldestKernel;
  const details = { release };
  const newEnough = major > oldMajor || (major === oldMajor && minor >= oldMinor);
  if (!newEnough) {
    return finding(
      'failed',
      `${release || 'unknown'} is older than ${oldMajor}.${oldMinor}, which idmapped mounts need`,
      details,
      {
        hint: 'Install a newer kernel and reboot.',
      },
    );
  }
  if (userNamespaces === 0) {
    return finding('failed', `${release}, but user namespaces are disabled`, details, {
      hint: 'Set the sysctl user.max_user_namespaces to a number such as 15000.',
    });
  }
  return ok(release, details);
}

const groupFileSystems = /^\S+ (\S+) cgroup2? /gm;

export const controlGroups: Check = {
  id: 'cgroup_availability',
  title: 'Control groups',
  group: 'SYSTEM',
  run: async ({ host }) => {
    const mounts = (await host.readText('/proc/self/mounts')) ?? '';
    const found = [...mounts.matchAll(groupFileSystems)].map((match) => match[1]);
    if (found.length > 0)
      return ok(/ \/sys\/fs\/cgroup cgroup2 /.test(mounts) ? 'version 2' : 'version 1');
    return finding(
      'failed',
      'not mounted',
      {},
      { plan: 'mount the control groups at /sys/fs/cgroup' },
    );
  },
  fix: async (context: CheckContext) => {
    await context.host.run(['mount', '-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup'], {
      signal: context.signal,
    });
  },
};
