// A coid of its own for a test: own run and state directory, so that it meets neither the machine's nor another test's.
// Started and ended from here, not by `coi daemon start` and `stop`: two more programs for each of a hundred beds are minutes.
import { coidSocketPath, openCoid } from '../../src/coid-api/client.ts';
import type { DaemonStatus } from '../../src/coid-api/protocol.ts';
import { stopDaemon } from '../../src/daemon/control.ts';
import { CoiError } from '../../src/errors.ts';
import { startDetached } from '../../src/host/process/detach.ts';
import { followLog, keepLog } from './failed-logs.ts';
import { newPrefix } from './prefix.ts';
import { coiPath } from './program.ts';
import { sweepCoid } from './sweep.ts';

export interface TestCoid {
  readonly runDir: string;
  readonly stateDir: string;
  /** COI_RUN_DIR and COI_STATE_DIR: what a `coi` needs in its environment to talk to this coid. */
  readonly env: Readonly<Record<string, string>>;
  start(): Promise<void>;
  /** Undefined when it does not answer. */
  status(): Promise<DaemonStatus | undefined>;
  /** SIGKILL, as a crash would end it. */
  crash(): Promise<void>;
  /** Ends it in good order; mounts stay. */
  stop(): Promise<void>;
  /** Ends it and removes its mounts and directories. Instances have to be gone. */
  remove(): Promise<void>;
}

const startMs = 30_000;
const endMs = 30_000;

/** Starts a coid; resolves when it answers. `env` adds to its environment (COI_LEASE_MS and the like). */
export async function startCoid(env: Readonly<Record<string, string>> = {}): Promise<TestCoid> {
  const name = `coi-${newPrefix()}coid`;
  const places = { COI_RUN_DIR: `/run/${name}`, COI_STATE_DIR: `/var/lib/${name}` };
  const [runDir, stateDir] = [places.COI_RUN_DIR, places.COI_STATE_DIR];
  const clean = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    // No test asks a provider whose a login is, unless it has one of its own.
    COI_TEST_LOGIN_URL: 'http://127.0.0.1:9',
    ...env,
    ...places,
  };
  const client = openCoid({ socketPath: coidSocketPath(places) });
  const status = async () => {
    try {
      return await client.status();
    } catch (error) {
      if (error instanceof CoiError) return undefined;
      throw error;
    }
  };
  const stop = async () => void (await stopDaemon(places, AbortSignal.timeout(endMs)));
  const coid: TestCoid = {
    runDir,
    stateDir,
    env: places,
    status,
    start: () => started(clean),
    crash: async () => {
      const running = await status();
      if (running !== undefined) process.kill(running.pid, 'SIGKILL');
    },
    stop,
    remove: async () => {
      await stop();
      keepLog(name);
      await sweepCoid(runDir, stateDir);
    },
  };
  followLog(name, runDir, `${stateDir}/coid.log`);
  try {
    await coid.start();
  } catch (error) {
    await coid.remove();
    throw error;
  }
  return coid;
}

/** As `coi daemon start` does it: coid says that it is ready, or why it is not. */
async function started(env: Readonly<Record<string, string>>): Promise<void> {
  const args = ['daemon', 'run', '--log-file', '--say-ready'];
  const said = await startDetached([coiPath()], { args, env, limitMs: startMs });
  if (said?.trim() !== 'ready') throw new Error(`coid did not start: ${said}`);
}
