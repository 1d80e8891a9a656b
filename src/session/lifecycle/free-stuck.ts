// Releases a container that a forced stop does not end, because its processes wait in the kernel, for example for a file
// system that one of them serves. coid releases those; other blocking processes are reported.
import type { BlockedProcess, StuckReply } from '../../coid-api/stuck-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import type { ContainerRef } from '../record/container-ref.ts';
import { sessionRecord } from '../record/instance-record.ts';

/** Asks coid. With the sources of its mounts: before the stop, and only if one of them may block Incus. */
export type FreeStuck = (ref: ContainerRef, sources?: readonly string[]) => Promise<StuckReply>;

/** Killing takes a second; coid is asked repeatedly at this interval. */
const askEveryMs = 5000;

export class StuckRelease {
  readonly #ref: ContainerRef;
  readonly #free: FreeStuck | undefined;
  #holders: readonly BlockedProcess[] = [];

  constructor(ref: ContainerRef, free: FreeStuck | undefined) {
    this.#ref = ref;
    this.#free = free;
  }

  /** Call it before the stop: Incus accesses all mounts and would block on one that does not respond. */
  async prepare({ config }: Pick<Instance, 'config'>): Promise<void> {
    const mounts = sessionRecord(config)?.mounts.mounts ?? [];
    const sources = mounts.map(({ source }) => source);
    await this.#free?.(this.#ref, sources).catch(() => undefined);
  }

  async watch<Result>(waiting: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.#ask(), askEveryMs);
    return await waiting.finally(() => clearInterval(timer));
  }

  /** Adds the blocking processes to the error. */
  explain(failure: unknown): unknown {
    if (this.#holders.length === 0 || !(failure instanceof CoiError)) return failure;
    const held = this.#holders.map(
      ({ pid, program, waitsIn }) =>
        `process ${pid} (${program})${waitsIn === '' ? '' : ` in ${waitsIn}`}`,
    );
    return new CoiError(
      failure.code,
      `${failure.message}: blocked in the kernel, where no signal ends it: ${held.join(', ')}`,
      {
        hint: 'Restore or remove what it waits for (a network file system, a disk), then try again. Otherwise only a reboot of the host helps.',
        cause: failure,
      },
    );
  }

  #ask(): void {
    this.#free?.(this.#ref).then(
      ({ holders }) => {
        this.#holders = holders;
      },
      // coid is down, or older: the stop fails as without it.
      () => {},
    );
  }
}
