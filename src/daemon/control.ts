// Starts and stops coid, through systemd where it has the unit.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { coidSocketPath, openCoid } from '../coid-api/client.ts';
import {
  type DaemonError,
  type DaemonStatus,
  defaultRunDir,
  defaultStateDir,
} from '../coid-api/protocol.ts';
import { CoiError, type ErrorCode, errorCodes } from '../errors.ts';
import { ensureOwnDirectory } from '../host/install/service-socket.ts';
import { loadLibc } from '../host/linux/load-libc.ts';
import { isRoot, sendSigterm, startSelfDetached } from '../host/process/detach.ts';
import { lockHolder } from '../host/process/process-lock.ts';
import { runProgram } from '../host/process/program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface DaemonPaths {
  readonly runDir: string;
  readonly stateDir: string;
  readonly logPath: string;
}

const startLimitMs = 10_000;
const stopLimitMs = 15_000;
const stopPollMs = 20;
const unitPath = '/etc/systemd/system/coid.service';

/** `$COI_RUN_DIR` and `$COI_STATE_DIR` select a separate coid, with its own log. */
export function daemonPaths(env: Environment): DaemonPaths {
  const runDir = env['COI_RUN_DIR'] || defaultRunDir;
  const stateDir = env['COI_STATE_DIR'] || defaultStateDir;
  return {
    runDir,
    stateDir,
    logPath: runDir === defaultRunDir ? '/var/log/coi/coid.log' : join(stateDir, 'coid.log'),
  };
}

/** Starts coid in the background and waits until it answers. Throws `coid-failed`, or the error that coid reports. */
export async function startDetached(env: Environment): Promise<DaemonStatus> {
  requireRoot('start');
  const { runDir, logPath } = daemonPaths(env);
  ensureOwnDirectory(runDir, 0o755);
  if (runDir === defaultRunDir && existsSync('/run/systemd/system') && existsSync(unitPath)) {
    await systemctl('start');
  } else {
    const output = await startSelfDetached({
      args: ['daemon', 'run', '--log-file', '--say-ready'],
      env: daemonEnvironment(env),
      limitMs: startLimitMs,
    });
    if (output?.trim() !== 'ready') throw startFailure(output, logPath);
  }
  return openCoid({ socketPath: coidSocketPath(env) }).status();
}

/** Stops coid; sessions and mounts stay. False if none was running. Throws `timeout` if it does not stop. */
export async function stopDaemon(env: Environment, signal: AbortSignal): Promise<boolean> {
  requireRoot('stop');
  const { runDir } = daemonPaths(env);
  const libc = await loadLibc();
  const lockPath = join(runDir, 'coid.lock');
  const pid = lockHolder(libc, lockPath);
  if (pid === undefined) return false;
  if (runDir === defaultRunDir && existsSync('/run/systemd/system') && existsSync(unitPath))
    await systemctl('stop');
  if (lockHolder(libc, lockPath) === pid) sendSigterm(pid);
  const deadline = performance.now() + stopLimitMs;
  // The process is not a child, so its end can only be polled.
  while (lockHolder(libc, lockPath) === pid) {
    if (performance.now() > deadline)
      throw new CoiError('timeout', `coid (pid ${pid}) does not stop`, {
        hint: `Run \`coi daemon logs\` to see why. \`kill -9 ${pid}\` is safe for sessions.`,
      });
    await delay(stopPollMs, undefined, { signal });
  }
  return true;
}

function requireRoot(verb: string): void {
  if (!isRoot())
    throw new CoiError(
      'needs-root',
      `coid can only be ${verb === 'stop' ? 'stopped' : 'started'} by root`,
      { hint: `Run \`sudo coi daemon ${verb}\`.` },
    );
}

/** Passes only the variables that name directories and Incus. */
function daemonEnvironment(env: Environment): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      /^(?:COI_|INCUS_)/.test(entry[0]) && entry[1] !== undefined,
  );
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    ...Object.fromEntries(passed),
  };
}

async function systemctl(verb: 'start' | 'stop'): Promise<void> {
  const argv = ['systemctl', verb, 'coid.service'];
  const limitMs = startLimitMs + stopLimitMs;
  const { status, failure, stderr } = await runProgram(argv, { limitMs, endWith: 'SIGTERM' });
  if (status === 0) return;
  throw new CoiError('coid-failed', `systemd could not ${verb} coid`, {
    hint: 'Run `systemctl status coid` and `coi daemon logs` to see why.',
    cause: failure ?? new Error(`Command failed: ${argv.join(' ')}\n${stderr}`),
  });
}

function startFailure(output: string | undefined, logPath: string): CoiError {
  try {
    const { code, message, hint } = (JSON.parse(output ?? '') as DaemonError).error;
    return new CoiError(
      Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'coid-failed',
      message,
      { hint },
    );
  } catch {
    return new CoiError(
      'coid-failed',
      output === undefined ? 'coid did not start' : `coid did not start: ${output.trim()}`,
      { hint: `See its log ${logPath}, or run \`sudo coi daemon run\` for more.` },
    );
  }
}
