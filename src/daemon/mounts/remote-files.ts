// Which file systems do not answer. Whoever looks into one whose server is gone waits, for ever, and coid has one thread for
// everybody: so another process looks first, and coid leaves what does not answer alone until it does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, unanswered } from '../../host/fs/meta/answers.ts';
import { deviceText, MountTable, type RemoteMount } from '../../host/fs/meta/remote-mounts.ts';
import { heldPlace } from '../../session/plan/held-directory.ts';
import type { Log } from '../log.ts';

export interface RemoteFilesParts {
  readonly runDir: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** A file system does not answer. */
  readonly heldUp: (device: string) => void;
  /** One answers that did not. */
  readonly freed: () => void;
}

/** What a user names. */
export interface Named {
  readonly workspace: string;
  readonly mounts: readonly { readonly source: string }[];
}

interface Question {
  readonly mount: RemoteMount;
  /** Resolves when it answers, or after the time in which it should have. */
  readonly soon: Promise<void>;
  isHeld: boolean;
}

/** One that answers does so within milliseconds; the process that asks may have to wait for a processor. */
const noticeMs = 3000;
/** Between two looks while another process works there. */
const duringMs = 5000;
/** Between two looks at those that sessions have. */
const everyMs = 10_000;
/** How old an answer may be of a file system that no session has: a link in a workspace may lead there. */
const othersMs = 10_000;

export class RemoteFiles {
  readonly #parts: RemoteFilesParts;
  readonly #mounts: string;
  /** By device: each is asked by one process at a time, which ends when it answers. */
  readonly #asked = new Map<string, Question>();
  readonly #answeredMs = new Map<string, number>();
  #read: { readonly text: string; readonly table: MountTable } | undefined;

  constructor(parts: RemoteFilesParts) {
    this.#parts = parts;
    this.#mounts = join(parts.runDir, 'mounts');
    // A session may end at any moment, and Incus looks at what is mounted then.
    const timer = setInterval(() => void this.#lookAtOwn(), everyMs).unref();
    parts.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /**
   * Finds out which answer: those that coid has mounted for sessions, those that these paths lead to, and now and then all
   * others. Nothing waits where all is local, nor for one that is known not to answer.
   */
  async look(paths: readonly string[] = []): Promise<void> {
    const table = this.#table();
    for (const [device, { mount }] of this.#asked)
      if (!table.has(device)) this.#forget(device, mount);
    for (const device of this.#answeredMs.keys())
      if (!table.has(device)) this.#answeredMs.delete(device);
    const { all } = table;
    if (all.length === 0) return;
    const isOwn = ({ point }: RemoteMount) => point.startsWith(`${this.#mounts}/`);
    const due = all.filter((mount) => isOwn(mount) || this.#ageMs(mount.device) > othersMs);
    const named = paths.flatMap((path) => table.on(path).filter(({ type }) => type !== 'autofs'));
    const wanted = new Set([...due, ...named].map(({ device }) => device));
    // What the user has mounted says more than what coid has.
    const known = all.toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
    const byDevice = new Map(
      known.filter(({ device }) => wanted.has(device)).map((mount) => [mount.device, mount]),
    );
    await Promise.all([...byDevice.values()].map((mount) => this.#ask(mount)));
  }

  /** Whether any did not answer at the last look. */
  get isAnyHeld(): boolean {
    return [...this.#asked.values()].some(({ isHeld }) => isHeld);
  }

  /** As the last look found it. */
  isHeld(path: string): boolean {
    return this.#heldOn(path) !== undefined;
  }

  /** The same by the number of stat. */
  isHeldDevice(device: number): boolean {
    return this.#asked.get(deviceText(device))?.isHeld ?? false;
  }

  /** Where those that do not answer are mounted. */
  get held(): readonly string[] {
    return [...this.#asked.values()].filter(({ isHeld }) => isHeld).map(({ mount }) => mount.point);
  }

  /** For what a user names, where links may lead elsewhere. Throws `workspace-invalid` or `mount-invalid`. */
  async require({ workspace, mounts }: Named): Promise<void> {
    const paths = [workspace, ...mounts.map(({ source }) => source)];
    await this.look(paths);
    const known = paths.flatMap((path) => {
      const mount = this.#heldOn(path);
      return mount ? [{ path, mount }] : [];
    });
    const found = known[0] ?? (await unanswered(paths));
    if (!found) return;
    const code = found.path === workspace ? 'workspace-invalid' : 'mount-invalid';
    throw heldPlace(found.path, found.mount, code);
  }

  /** Work there that another process does: told to end when it is not answered any more. */
  async during<Result>(
    path: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    if (this.#table().on(path).length === 0) return work(signal);
    const held = new AbortController();
    const timer = setInterval(() => {
      void this.look([path]).then(() => {
        if (this.isHeld(path)) held.abort();
      });
    }, duringMs);
    try {
      return await work(AbortSignal.any([signal, held.signal]));
    } finally {
      clearInterval(timer);
    }
  }

  async #lookAtOwn(): Promise<void> {
    const isOwn = ({ point }: RemoteMount) => point.startsWith(`${this.#mounts}/`);
    if (this.#table().all.some(isOwn)) await this.look();
  }

  /** As it is now. It is read for every look, and a host may have thousands of mounts that do not change. */
  #table(): MountTable {
    const text = readFileSync('/proc/self/mountinfo', 'utf8');
    if (text !== this.#read?.text) this.#read = { text, table: new MountTable(text) };
    return this.#read.table;
  }

  #heldOn(path: string): RemoteMount | undefined {
    if (!this.isAnyHeld) return undefined;
    return this.#table()
      .on(path)
      .find(({ device }) => this.#asked.get(device)?.isHeld);
  }

  #ask(mount: RemoteMount): Promise<void> {
    const known = this.#asked.get(mount.device);
    if (known) return known.isHeld ? Promise.resolve() : known.soon;
    const { log, signal } = this.#parts;
    const { promise: soon, resolve } = Promise.withResolvers<void>();
    const question: Question = { mount, soon, isHeld: false };
    this.#asked.set(mount.device, question);
    const notice = setTimeout(() => {
      question.isHeld = true;
      log('warning', 'files-held', { mount: mount.point, type: mount.type });
      this.#parts.heldUp(mount.device);
      resolve();
    }, noticeMs);
    void answers([mount.point], signal).then(() => {
      clearTimeout(notice);
      this.#answeredMs.set(mount.device, performance.now());
      if (this.#asked.get(mount.device) === question) this.#forget(mount.device, mount);
      resolve();
    });
    return soon;
  }

  #ageMs(device: string): number {
    return performance.now() - (this.#answeredMs.get(device) ?? Number.NEGATIVE_INFINITY);
  }

  #forget(device: string, { point }: RemoteMount): void {
    const wasHeld = this.#asked.get(device)?.isHeld ?? false;
    this.#asked.delete(device);
    if (!wasHeld || this.#parts.signal.aborted) return;
    this.#parts.log('info', 'files-freed', { mount: point });
    this.#parts.freed();
  }
}
