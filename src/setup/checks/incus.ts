// Checks of Incus: running, reachable, recent. Starts it with systemd or, without systemd, directly.
import { CoiError } from '../../errors.ts';
import type { RunResult, SetupHost } from '../../host/install/setup-host.ts';
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import { describeFailure, runOrThrow } from '../run-or-throw.ts';
import { type ServerState, serverState } from '../server.ts';

const daemonPaths = [
  '/usr/libexec/incus/incusd',
  '/opt/incus/bin/incusd',
  '/usr/bin/incusd',
  '/usr/sbin/incusd',
];
const lxcfsMount = '/var/lib/lxcfs';
export const adminGroup = 'incus-admin';
/** Enough for a daemon that mounts its pools and checks its instances on a slow disk. */
const readyLimitMs = 90_000;
/** How often to check that a starting daemon still runs. */
const pollMs = 2000;
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** As in Debian's Incus unit; every container needs some. */
const openFilesMax = 1_048_576;

/** Whether systemd is the init system (sd_booted(3)). */
export async function hasSystemd(host: SetupHost): Promise<boolean> {
  return (await host.kind('/run/systemd/system')) === 'directory';
}

export const incus: Check = {
  id: 'incus',
  title: 'Incus',
  group: 'CRITICAL',
  run: async (context) => serverFinding(await serverState(context), await hasSystemd(context.host)),
  fix: async (context) => {
    if (await hasSystemd(context.host)) {
      await runOrThrow(context, ['systemctl', 'enable', '--now', 'incus.socket']);
      await runOrThrow(context, ['systemctl', 'start', 'incus.service'], {
        timeoutMs: readyLimitMs,
      });
      await waitUntilReady(context);
    } else {
      await startIncus(context);
    }
  },
};

export function serverFinding(state: ServerState, systemd: boolean): Finding {
  switch (state.kind) {
    case 'ready': {
      const { server_version: version, storage, kernel_version: kernel } = state.server.environment;
      const details = { version, storage, kernel };
      if (Number.parseInt(version, 10) >= 6) return ok(`version ${version}`, details);
      return finding('failed', `version ${version} is older than 6.0`, details, {
        hint: 'Upgrade Incus to 6.0 or newer.',
      });
    }
    case 'forbidden':
      return finding(
        'failed',
        'this user has no access to Incus',
        {},
        {
          hint: `Join the group ${adminGroup}: sudo usermod -aG ${adminGroup} "$USER"`,
        },
      );
    case 'silent':
      return finding(
        'failed',
        `not running: ${state.why}`,
        {},
        {
          plan: systemd
            ? 'enable and start incus.socket'
            : 'start Incus in the background (there is no systemd)',
        },
      );
  }
}

/**
 * Whether this system is a container, by one of two signs: it has only a part of the ids, so it is unprivileged and
 * FUSE rarely works; or systemd has detected a container, where the LXCFS unit never starts.
 */
async function isContainer(host: SetupHost): Promise<boolean> {
  if ((await host.readText('/run/systemd/container')) !== undefined) return true;
  const map = (await host.readText('/proc/self/uid_map')) ?? '';
  return map !== '' && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** LXCFS shows containers their own /proc: without it they see the host's memory and load. */
export const lxcfs: Check = {
  id: 'lxcfs',
  title: 'LXCFS',
  group: 'CRITICAL',
  run: async ({ host }) => {
    const [kind, inner] = await Promise.all([
      host.kind(lxcfsMount),
      host.kind(`${lxcfsMount}/proc`),
    ]);
    if (inner === 'directory') return ok(`mounted at ${lxcfsMount}`);
    const stale = kind === 'stale' || inner === 'stale';
    // Other packages of Incus contain their own LXCFS, elsewhere.
    if (!stale && (await host.kind('/opt/incus/bin/lxcfs')) === 'file')
      return ok('part of this Incus installation');
    if (stale) {
      const plan = 'remove the dead mount and start LXCFS';
      return finding('warning', 'its process has ended, the mount is dead', {}, { plan });
    }
    if (await isContainer(host)) return finding('warning', 'not running, as in most containers');
    return finding('warning', 'not running', {}, { plan: 'start LXCFS' });
  },
  fix: async (context) => {
    const { host } = context;
    const dead = [await host.kind(lxcfsMount), await host.kind(`${lxcfsMount}/proc`)].includes(
      'stale',
    );
    if (dead) await runOrThrow(context, ['umount', '-l', lxcfsMount]);
    if (await hasSystemd(host))
      return void (await runOrThrow(context, ['systemctl', 'enable', '--now', 'lxcfs.service']));
    await runOrThrow(context, ['mkdir', '-p', lxcfsMount]);
    await host.startDetached(['lxcfs', lxcfsMount], { logPath: '/var/log/lxcfs.log' });
    await waitForMount(context, lxcfsMount);
  },
};

async function startIncus(context: CheckContext): Promise<void> {
  const { host, signal } = context;
  // A daemon that is just starting does not answer yet: a second one would fight with it over its database.
  if ((await isDaemonRunning(host)) && (await waitWhileStarting(context))) return;
  const daemon = await daemonPath(host);
  await runOrThrow(context, ['mkdir', '-p', '/var/log/incus', '/var/lib/incus']);
  const logPath = '/var/log/incus/incusd.out';
  const started = await host.startDetached(
    [daemon, '--group', adminGroup, '--logfile', '/var/log/incus/incusd.log'],
    {
      logPath,
      env: { PATH: `${daemon.slice(0, daemon.lastIndexOf('/'))}:${systemPath}` },
    },
  );
  // As much as this host allows: fewer open files only reduce the number of containers.
  const limits = [`--nofile=${openFilesMax}:${openFilesMax}`, '--nproc=unlimited:unlimited'];
  await host.run(['prlimit', '--pid', String(started.pid), ...limits], { signal });
  const died = started.ended.then(async () => {
    const log = ((await host.readText(logPath)) ?? '')
      .trimEnd()
      .split('\n')
      .slice(-3)
      .join('\n    ');
    throw new CoiError('setup-failed', `Incus exited immediately: ${log}`, {
      hint: 'See /var/log/incus/incusd.log.',
    });
  });
  const settled = new AbortController();
  try {
    const waiting = AbortSignal.any([signal, settled.signal]);
    await Promise.race([waitUntilReady({ ...context, signal: waiting }), died]);
  } finally {
    settled.abort();
  }
}

/** Whether a daemon runs. Running containers have processes of that name too, which outlive the daemon. */
async function isDaemonRunning(host: SetupHost): Promise<boolean> {
  for (const { pid, name } of await host.processes()) {
    if (name !== 'incusd') continue;
    // `[lxc monitor] ...`, or a path and an internal command such as forkproxy.
    const [program = '', first = '-'] =
      (await host.readText(`/proc/${pid}/cmdline`))?.split('\0').filter(Boolean) ?? [];
    if (!program.startsWith('[') && first.startsWith('-')) return true;
  }
  return false;
}

/** False if the daemon has ended: it was shutting down, not starting. Throws if it does neither in time. */
async function waitWhileStarting(context: CheckContext): Promise<boolean> {
  for (let leftMs = readyLimitMs; ; leftMs -= pollMs) {
    const ready = await waitReady(context, pollMs);
    if (ready.status === 0) return true;
    if (!(await isDaemonRunning(context.host))) return false;
    if (leftMs <= pollMs) throw notReady(ready);
  }
}

async function waitUntilReady(context: CheckContext): Promise<void> {
  const ready = await waitReady(context, readyLimitMs);
  if (ready.status !== 0) throw notReady(ready);
}

async function waitReady({ host, signal }: CheckContext, limitMs: number): Promise<RunResult> {
  const argv = [await daemonPath(host), 'waitready', '--timeout', String(limitMs / 1000)];
  return host.run(argv, { timeoutMs: limitMs + 5_000, signal });
}

function notReady(ready: RunResult): CoiError {
  return new CoiError(
    'setup-failed',
    `Incus did not start: \`incusd waitready\` ${describeFailure(ready)}`,
    { hint: 'See /var/log/incus/incusd.log or, with systemd, `journalctl -u incus`.' },
  );
}

async function daemonPath(host: SetupHost): Promise<string> {
  for (const path of daemonPaths) if ((await host.kind(path)) === 'file') return path;
  throw new CoiError('setup-failed', 'incusd is not installed on this host', {
    hint: 'Install Incus 6.0 or newer.',
  });
}

/** LXCFS does not signal that it is ready. `findmnt --poll` waits for the mount, but misses one that came before. */
async function waitForMount(context: CheckContext, path: string): Promise<void> {
  for (let left = 5; left > 0; left--) {
    if ((await context.host.kind(`${path}/proc`)) === 'directory') return;
    const wait = ['findmnt', '--poll=mount', '--first-only', '--timeout', '1000', '--target', path];
    await context.host.run(wait, { signal: context.signal });
  }
}
