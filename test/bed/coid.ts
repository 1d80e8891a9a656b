// A separate coid for a test, with its own run and state directories.
// Started directly, not with `coi daemon start` and `stop`: two more processes for each of a hundred beds take minutes.
import { coidSocketPath, openCoid } from '../../src/coid-api/client.ts';
import type { DaemonStatus } from '../../src/coid-api/protocol.ts';
import { stopDaemon } from '../../src/daemon/control.ts';
import { CoiError } from '../../src/errors.ts';
import { startDetached } from '../../src/host/process/detach.ts';
import { saveLog, trackLog } from './failed-logs.ts';
import { newPrefix } from './prefix.ts';
import { coiPath } from './program.ts';
import { sweepCoid } from './sweep.ts';

export interface TestCoid {
  readonly runDir: string;
  readonly stateDir: string;
  /** COI_RUN_DIR and COI_STATE_DIR, which a `coi` needs in its environment to talk to this coid. */
  readonly env: Readonly<Record<string, string>>;
  start(): Promise<void>;
  /** Undefined if it does not answer. */
  status(): Promise<DaemonStatus | undefined>;
  /** Kills it with SIGKILL, like a crash. */
  crash(): Promise<void>;
  /** Stops it cleanly; mounts stay. */
  stop(): Promise<void>;
  /** Stops it and removes its mounts and directories. Its instances must be gone. */
  remove(): Promise<void>;
}

const startMs = 30_000;
const endMs = 30_000;

/** Starts a coid; resolves when it answers. `env` is added to its environment (COI_LEASE_MS and the like). */
export async function startCoid(env: Readonly<Record<string, string>> = {}): Promise<TestCoid> {
  const name = `coi-${newPrefix()}coid`;
  const directories = { COI_RUN_DIR: `/run/${name}`, COI_STATE_DIR: `/var/lib/${name}` };
  const [runDir, stateDir] = [directories.COI_RUN_DIR, directories.COI_STATE_DIR];
  const clean = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    // No test contacts a real login provider.
    COI_TEST_LOGIN_URL: 'http://127.0.0.1:9',
    ...env,
    ...directories,
  };
  const client = openCoid({ socketPath: coidSocketPath(directories) });
  const status = async () => {
    try {
      return await client.status();
    } catch (error) {
      if (error instanceof CoiError) return undefined;
      throw error;
    }
  };
  const stop = async () => void (await stopDaemon(directories, AbortSignal.timeout(endMs)));
  const coid: TestCoid = {
    runDir,
    stateDir,
    env: directories,
    status,
    start: () => launchCoid(clean),
    crash: async () => {
      const running = await status();
      if (running !== undefined) process.kill(running.pid, 'SIGKILL');
    },
    stop,
    remove: async () => {
      await stop();
      saveLog(name);
      await sweepCoid(runDir, stateDir);
    },
  };
  trackLog(name, runDir, `${stateDir}/coid.log`);
  try {
    await coid.start();
  } catch (error) {
    await coid.remove();
    throw error;
  }
  return coid;
}

/** Like `coi daemon start`: coid reports that it is ready, or why not. */
async function launchCoid(env: Readonly<Record<string, string>>): Promise<void> {
  const args = ['daemon', 'run', '--log-file', '--say-ready'];
  const result = await startDetached([coiPath()], { args, env, limitMs: startMs });
  if (result?.trim() !== 'ready') throw new Error(`coid did not start: ${result}`);
}
