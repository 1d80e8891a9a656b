// A host of its own on this machine: namespaces for mounts, network and processes, the same packages, and an empty
// /var/lib/incus. What is done to it does not reach the machine; when it is closed, everything in it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandResult, runCommand } from '../bed/command.ts';

const env = {
  PATH: '/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** For processes that were killed to be gone. */
const endMs = 30_000;

export class PrivateHost implements AsyncDisposable {
  readonly #init: number;
  readonly #state: string;
  readonly #end: () => Promise<void>;

  private constructor(init: number, state: string, end: () => Promise<void>) {
    this.#init = init;
    this.#state = state;
    this.#end = end;
  }

  static async open(): Promise<PrivateHost> {
    // Not below /tmp, which may be in memory: a storage pool lies in it.
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

  /** What the machine runs for a program inside. */
  enter(...argv: string[]): string[] {
    return [...this.#enter(), ...argv];
  }

  /** Runs a program inside, and kills it at the first line of its stderr for which `isDue` is true. True if it came to that. */
  async runUntil(argv: readonly string[], isDue: (line: string) => boolean): Promise<boolean> {
    const [file = '', ...args] = [...this.#enter(), ...argv];
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const ended = once(child, 'exit');
    let due = false;
    for await (const line of createInterface({ input: child.stderr })) {
      if (due || !isDue(line)) continue;
      due = true;
      // nsenter waits for the program, which is a child of it; daemons that it has started have left its tree.
      for (const pid of await childrenOf(child.pid ?? -1)) kill(pid);
    }
    await ended;
    return due;
  }

  /**
   * Runs a program that names its steps (`... Step: …`) over and over, killed each time at a step that it did not reach
   * before, until it comes to its end. Gives the steps.
   */
  async killAtEachStep(argv: readonly string[]): Promise<string[]> {
    const steps: string[] = [];
    const isNew = (line: string) => {
      const title = /^\.\.\. ([^:]+):/.exec(line)?.[1];
      if (title === undefined || steps.includes(title)) return false;
      steps.push(title);
      return true;
    };
    while (await this.runUntil(argv, isNew)) assert.ok(steps.length < 20, steps.join(' '));
    return steps;
  }

  #enter(): string[] {
    return ['nsenter', '--target', String(this.#init), '--mount', '--net', '--pid', '--'];
  }

  /** Kills every process inside but the first, as when a machine is switched off and only its disks stay. */
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
    // On a busy machine the kernel takes its time to end them, and until then their sockets and mounts look alive.
    const limit = AbortSignal.timeout(endMs);
    for (const pid of dying) while (await isAlive(pid)) limit.throwIfAborted();
    return killed.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    // The loop device of the pool lets go of its file when the last mount of the namespace is gone.
    await runCommand(['udevadm', 'settle']).catch(() => undefined);
    await rm(this.#state, { recursive: true, force: true });
  }
}

/** False for one that is gone, and for one that has ended and that nobody has waited for. */
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
