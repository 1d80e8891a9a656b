// A coid of its own for a test: own run and state directory, so that it meets neither the machine's nor another test's.
import type { DaemonStatus } from '../../src/daemon/protocol.ts';
import { mustRun, runCommand } from './command.ts';
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

/** Starts a coid; resolves when it answers. `env` adds to its environment (COI_LEASE_MS and the like). */
export async function startCoid(env: Readonly<Record<string, string>> = {}): Promise<TestCoid> {
  const name = `coi-${newPrefix()}coid`;
  const places = { COI_RUN_DIR: `/run/${name}`, COI_STATE_DIR: `/var/lib/${name}` };
  const [runDir, stateDir] = [places.COI_RUN_DIR, places.COI_STATE_DIR];
  const clean = {
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: '/root',
    ...env,
    ...places,
  };
  const daemon = (verb: string, ...more: string[]) => [coiPath(), 'daemon', verb, ...more];
  const status = async () => {
    const said = await runCommand(daemon('status', '--json'), { env: clean });
    return said.status === 0 ? (JSON.parse(said.stdout) as DaemonStatus) : undefined;
  };
  const stop = async () => void (await runCommand(daemon('stop'), { env: clean }));
  const coid: TestCoid = {
    runDir,
    stateDir,
    env: places,
    status,
    start: async () => void (await mustRun(daemon('start'), { env: clean })),
    crash: async () => {
      const running = await status();
      if (running !== undefined) process.kill(running.pid, 'SIGKILL');
    },
    stop,
    remove: async () => {
      await stop();
      await sweepCoid(runDir, stateDir);
    },
  };
  try {
    await coid.start();
  } catch (error) {
    await coid.remove();
    throw error;
  }
  return coid;
}
