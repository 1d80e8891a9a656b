// Incus itself: alive, answering, able; started with systemd or, where there is none, by hand.
import { CoiError } from '../../errors.ts';
import type { Machine, RunResult } from '../../host/install/setup-host.ts';
import { type Check, type Finding, finding, type Ground, ok } from '../check.ts';
import { command, said } from '../command.ts';
import { type ServerState, serverState } from '../server.ts';

const daemonPaths = [
  '/usr/libexec/incus/incusd',
  '/opt/incus/bin/incusd',
  '/usr/bin/incusd',
  '/usr/sbin/incusd',
];
const lxcfsMount = '/var/lib/lxcfs';
export const adminGroup = 'incus-admin';
/** A daemon that mounts its pools and looks after recorded instances on a slow disk. */
const readyLimitMs = 90_000;
/** So often it is looked whether a daemon that was found is there still. */
const lookMs = 2000;
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** As Debian's unit of Incus has it; every container takes some. */
const openFilesMax = 1_048_576;

/** Systemd is the first process (sd_booted(3)). */
export async function hasSystemd(machine: Machine): Promise<boolean> {
  return (await machine.kind('/run/systemd/system')) === 'directory';
}

export const incus: Check = {
  id: 'incus',
  title: 'Incus',
  group: 'CRITICAL',
  probe: async (ground) =>
    serverFinding(await serverState(ground), await hasSystemd(ground.machine)),
  fix: async (ground) => {
    if (await hasSystemd(ground.machine)) {
      await command(ground, ['systemctl', 'enable', '--now', 'incus.socket']);
      await command(ground, ['systemctl', 'start', 'incus.service'], { timeoutMs: readyLimitMs });
      await waitUntilReady(ground);
    } else {
      await startIncus(ground);
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
        'this user may not talk to it',
        {},
        {
          hint: `Become a member of ${adminGroup}: sudo usermod -aG ${adminGroup} "$USER"`,
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
 * It has only a part of all ids: it is an unprivileged container itself, where FUSE rarely works. Or its systemd knows
 * that it is in a container: there the unit of LXCFS does not start, whatever the container may do.
 */
async function isContainer(machine: Machine): Promise<boolean> {
  if ((await machine.readText('/run/systemd/container')) !== undefined) return true;
  const map = (await machine.readText('/proc/self/uid_map')) ?? '';
  return map !== '' && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** LXC's view of /proc for containers: without it they see the host's memory and load. */
export const lxcfs: Check = {
  id: 'lxcfs',
  title: 'LXCFS',
  group: 'CRITICAL',
  probe: async ({ machine }) => {
    const [kind, inner] = await Promise.all([
      machine.kind(lxcfsMount),
      machine.kind(`${lxcfsMount}/proc`),
    ]);
    if (inner === 'directory') return ok(`mounted at ${lxcfsMount}`);
    const stale = kind === 'stale' || inner === 'stale';
    // Incus of other packagers brings its own, elsewhere.
    if (!stale && (await machine.kind('/opt/incus/bin/lxcfs')) === 'file')
      return ok('part of this installation of Incus');
    if (stale) {
      const plan = 'take the dead mount away and start LXCFS';
      return finding('warning', 'its process is gone, the mount is dead', {}, { plan });
    }
    if (await isContainer(machine)) return finding('warning', 'not running, as in most containers');
    return finding('warning', 'not running', {}, { plan: 'start LXCFS' });
  },
  fix: async (ground) => {
    const { machine } = ground;
    const dead = [
      await machine.kind(lxcfsMount),
      await machine.kind(`${lxcfsMount}/proc`),
    ].includes('stale');
    if (dead) await command(ground, ['umount', '-l', lxcfsMount]);
    if (await hasSystemd(machine))
      return void (await command(ground, ['systemctl', 'enable', '--now', 'lxcfs.service']));
    await command(ground, ['mkdir', '-p', lxcfsMount]);
    await machine.startDetached(['lxcfs', lxcfsMount], { logPath: '/var/log/lxcfs.log' });
    await mounted(ground, lxcfsMount);
  },
};

async function startIncus(ground: Ground): Promise<void> {
  const { machine, signal } = ground;
  // A daemon that is just starting does not answer yet: a second one would fight with it over its database.
  if ((await isAlive(machine)) && (await becameReady(ground))) return;
  const daemon = await daemonPath(machine);
  await command(ground, ['mkdir', '-p', '/var/log/incus', '/var/lib/incus']);
  const logPath = '/var/log/incus/incusd.out';
  const started = await machine.startDetached(
    [daemon, '--group', adminGroup, '--logfile', '/var/log/incus/incusd.log'],
    {
      logPath,
      env: { PATH: `${daemon.slice(0, daemon.lastIndexOf('/'))}:${systemPath}` },
    },
  );
  // As much as this host allows: fewer open files limit only how many containers there can be.
  const limits = [`--nofile=${openFilesMax}:${openFilesMax}`, '--nproc=unlimited:unlimited'];
  await machine.run(['prlimit', '--pid', String(started.pid), ...limits], { signal });
  const died = started.ended.then(async () => {
    const log = ((await machine.readText(logPath)) ?? '')
      .trimEnd()
      .split('\n')
      .slice(-3)
      .join('\n    ');
    throw new CoiError('setup-failed', `Incus ended at once: ${log}`, {
      hint: 'Its log is /var/log/incus/incusd.log.',
    });
  });
  const settled = new AbortController();
  try {
    const waiting = AbortSignal.any([signal, settled.signal]);
    await Promise.race([waitUntilReady({ ...ground, signal: waiting }), died]);
  } finally {
    settled.abort();
  }
}

/** Whether there is a daemon. Each container that runs has processes of that name, too, which outlive it. */
async function isAlive(machine: Machine): Promise<boolean> {
  for (const { pid, name } of await machine.processes()) {
    if (name !== 'incusd') continue;
    // `[lxc monitor] ...`, or a path and then the name of an inner command such as forkproxy.
    const [program = '', first = '-'] =
      (await machine.readText(`/proc/${pid}/cmdline`))?.split('\0').filter(Boolean) ?? [];
    if (!program.startsWith('[') && first.startsWith('-')) return true;
  }
  return false;
}

/** False where the daemon that was there has ended: it was not starting, but ending. Throws where it does neither. */
async function becameReady(ground: Ground): Promise<boolean> {
  for (let leftMs = readyLimitMs; ; leftMs -= lookMs) {
    const ready = await waitReady(ground, lookMs);
    if (ready.status === 0) return true;
    if (!(await isAlive(ground.machine))) return false;
    if (leftMs <= lookMs) throw notReady(ready);
  }
}

async function waitUntilReady(ground: Ground): Promise<void> {
  const ready = await waitReady(ground, readyLimitMs);
  if (ready.status !== 0) throw notReady(ready);
}

async function waitReady({ machine, signal }: Ground, limitMs: number): Promise<RunResult> {
  const argv = [await daemonPath(machine), 'waitready', '--timeout', String(limitMs / 1000)];
  return machine.run(argv, { timeoutMs: limitMs + 5_000, signal });
}

function notReady(ready: RunResult): CoiError {
  return new CoiError(
    'setup-failed',
    `Incus did not come up: \`incusd waitready\` ${said(ready)}`,
    { hint: 'Its log is /var/log/incus/incusd.log or, with systemd, `journalctl -u incus`.' },
  );
}

async function daemonPath(machine: Machine): Promise<string> {
  for (const path of daemonPaths) if ((await machine.kind(path)) === 'file') return path;
  throw new CoiError('setup-failed', 'there is no incusd on this host', {
    hint: 'Install Incus 6.0 or newer.',
  });
}

/** LXCFS has no way to say that it is ready; `findmnt --poll` waits for the mount, which may come before it looks. */
async function mounted(ground: Ground, path: string): Promise<void> {
  for (let left = 5; left > 0; left--) {
    if ((await ground.machine.kind(`${path}/proc`)) === 'directory') return;
    const wait = ['findmnt', '--poll=mount', '--first-only', '--timeout', '1000', '--target', path];
    await ground.machine.run(wait, { signal: ground.signal });
  }
}
