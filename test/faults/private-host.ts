// A private host on this machine: namespaces for mounts, network and processes, the same packages, and an empty
// /var/lib/incus. Changes in it do not affect the machine; closing it ends everything in it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandResult, runCommand } from '../bed/command.ts';
import { saveLines, saveLog, trackLog } from '../bed/failed-logs.ts';

const env = {
  PATH: '/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

const logPaths = ['/var/log/incus/incusd.log', '/var/log/coi/coid.log'];

/** Limit for killed processes to disappear. */
const endMs = 30_000;

export class PrivateHost implements AsyncDisposable {
  readonly #init: number;
  readonly #state: string;
  readonly #end: () => Promise<void>;

  private constructor(init: number, state: string, end: () => Promise<void>) {
    this.#init = init;
    this.#state = state;
    this.#end = end;
    for (const path of logPaths) trackLog(`${state}${path}`, undefined, `${state}${path}`);
  }

  static async open(): Promise<PrivateHost> {
    // Not below /tmp, which may be in memory: it holds a storage pool.
    const state = await mkdtemp('/var/tmp/coit-host-');
    const script = join(import.meta.dirname, 'private-host.sh');
    const flags = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const holder = spawn('unshare', [...flags, 'sh', script, state], {
      // Its stdin ends with this process, however that ends.
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(holder, 'exit');
    const lines = createInterface({ input: holder.stdout });
    const first = await Promise.race([once(lines, 'line'), ended]);
    if (first[0] !== 'ready') throw new Error('the namespaces of a private host could not be made');
    const [init = -1] = await childrenOf(holder.pid ?? -1);
    return new PrivateHost(init, state, async () => {
      holder.kill('SIGKILL');
      await ended;
    });
  }

  /** Runs a program inside to its end. */
  run(...argv: string[]): Promise<CommandResult> {
    return runCommand(this.enter(...argv), { limitMs: 240_000, env });
  }

  /** The machine's command line for a program inside. */
  enter(...argv: string[]): string[] {
    return [...this.#enter(), ...argv];
  }

  /** Runs a program inside and kills it at the first stderr line for which `isDue` is true. Returns whether that happened. */
  async runUntil(argv: readonly string[], isDue: (line: string) => boolean): Promise<boolean> {
    const [file = '', ...args] = [...this.#enter(), ...argv];
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const ended = once(child, 'exit');
    let due = false;
    for await (const line of createInterface({ input: child.stderr })) {
      if (due || !isDue(line)) continue;
      due = true;
      // nsenter waits for the program, its child; daemons that it started have left its process tree.
      for (const pid of await childrenOf(child.pid ?? -1)) kill(pid);
    }
    await ended;
    return due;
  }

  /**
   * Kills a program that prints its steps (`... Step: …`) once at each of these steps, and runs it to its end. It is not
   * stopped while it is killed, so a run may complete further steps: for those, `undo` starts again.
   */
  async killAtEachStep(
    argv: readonly string[],
    { titles, undo }: { titles: readonly string[]; undo: readonly string[] },
  ): Promise<void> {
    const steps: string[] = [];
    const isNew = (line: string) => {
      const title = titleOf(line);
      if (title === undefined || steps.includes(title)) return false;
      steps.push(title);
      return true;
    };
    while (await this.runUntil(argv, isNew)) assert.ok(steps.length < 20, steps.join(' '));
    for (const missed of titles.filter((title) => !steps.includes(title))) {
      const undone = await this.run(...undo);
      assert.equal(undone.status, 0, undone.stderr);
      const killed = await this.runUntil(argv, (line) => titleOf(line) === missed);
      assert.ok(killed, `killed at ${missed}`);
      const completed = await this.run(...argv);
      assert.equal(completed.status, 0, completed.stderr);
    }
  }

  #enter(): string[] {
    return ['nsenter', '--target', String(this.#init), '--mount', '--net', '--pid', '--'];
  }

  /** Kills every process inside except the first, like a power failure that only disks survive. */
  async killAll(): Promise<string[]> {
    const namespace = await readlink(`/proc/${this.#init}/ns/pid`);
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const killed: string[] = [];
    const dying: number[] = [];
    for (const pid of pids) {
      const found = await readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
      if (found !== namespace || pid === this.#init) continue;
      killed.push((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim());
      kill(pid);
      dying.push(pid);
    }
    // On a busy machine the kernel needs time to end them, and until then their sockets and mounts look alive.
    const limit = AbortSignal.timeout(endMs);
    for (const pid of dying) while (await isAlive(pid)) limit.throwIfAborted();
    return killed.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of logPaths) saveLog(`${this.#state}${path}`);
    const processes = await this.run('ps', '-eo', 'pid,ppid,etimes,stat,wchan:24,args');
    saveLines(`${this.#state} processes`, processes.stdout.trimEnd().split('\n'));
    await this.#end();
    // The pool's loop device releases its file with the last mount of the namespace.
    await runCommand(['udevadm', 'settle']).catch(() => undefined);
    await rm(this.#state, { recursive: true, force: true });
  }
}

function titleOf(line: string): string | undefined {
  return /^\.\.\. ([^:]+):/.exec(line)?.[1];
}

/** False for a process that is gone, and for a zombie. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /\) [^ZX]/.test(stat);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
