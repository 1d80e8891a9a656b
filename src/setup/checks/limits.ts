// Kernel limits that all sessions of a host share, since their processes count as the host's root.
// Values: Incus, "Server settings for a Incus production setup" (doc/reference/server_settings).
import type { SetupHost } from '../../host/install/setup-host.ts';
import { type Check, finding, ok } from '../check.ts';

const minimums: Readonly<Record<string, number>> = {
  'fs.aio-max-nr': 524_288,
  'fs.inotify.max_queued_events': 1_048_576,
  'fs.inotify.max_user_instances': 1_048_576,
  'fs.inotify.max_user_watches': 1_048_576,
  'kernel.keys.maxbytes': 2_000_000,
  'kernel.keys.maxkeys': 2000,
  'vm.max_map_count': 262_144,
};

export const limitsPath = '/etc/sysctl.d/61-coi-limits.conf';

export const kernelLimits: Check = {
  id: 'kernel_limits',
  title: 'Kernel limits',
  group: 'SYSTEM',
  run: async ({ host }) => {
    const low = await tooLow(host);
    if (low.length === 0) return ok('high enough for many sessions');
    const keys = low.map(({ key }) => key);
    return finding(
      'warning',
      `too low for many sessions: ${low.map(({ key, value }) => `${key} is ${value}`).join(', ')}`,
      { low: keys },
      {
        plan: `raise ${keys.join(', ')}, now and at every boot`,
        hint: 'Raise them on the host if this system is a container.',
      },
    );
  },
  fix: async ({ host }) => {
    const low = await tooLow(host);
    for (const { key } of low) await raiseLimit(host, key);
    // A limit that is already higher must not be lowered at the next boot.
    const before = (await host.readText(limitsPath)) ?? '';
    const kept = Object.keys(minimums).filter(
      (key) => low.some((one) => one.key === key) || before.includes(`\n${key} = `),
    );
    const lines = kept.map((key) => `${key} = ${minimums[key]}`);
    await host.writeText(
      limitsPath,
      `# Written by \`coi setup\`: all sessions together need more than a single user does.\n${lines.join('\n')}\n`,
      0o644,
    );
  },
};

/** Skips limits that the kernel does not have or does not show. */
async function tooLow(host: SetupHost): Promise<{ key: string; value: number }[]> {
  const found = await Promise.all(
    Object.entries(minimums).map(async ([key, least]) => {
      const text = (await host.readText(pathOf(key)))?.trim() ?? '';
      const value = Number(text);
      return /^\d+$/.test(text) && value < least ? [{ key, value }] : [];
    }),
  );
  return found.flat();
}

/** Ignores missing permission, as in a container: the check runs again and reports it. */
async function raiseLimit(host: SetupHost, key: string): Promise<void> {
  try {
    await host.overwrite(pathOf(key), String(minimums[key]));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) throw error;
  }
}

function pathOf(key: string): string {
  return `/proc/sys/${key.replaceAll('.', '/')}`;
}
