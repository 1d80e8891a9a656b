// A container that force does not end: processes of it wait in the kernel, as for a file system that one of them serves.
// coid frees it from those; what holds it besides is told.
import type { Holder, StuckReply } from '../../coid-api/stuck-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import type { ContainerRef } from '../record/container-ref.ts';
import { sessionRecord } from '../record/instance-record.ts';

/** Asks coid. With sources of its mounts: before it is told to end, and only if one of them may keep Incus waiting. */
export type Free = (ref: ContainerRef, sources?: readonly string[]) => Promise<StuckReply>;

/** Killing takes a second; after that time coid is asked, again and again. */
const askEveryMs = 5000;

export class Freeing {
  readonly #ref: ContainerRef;
  readonly #free: Free | undefined;
  #holders: readonly Holder[] = [];

  constructor(ref: ContainerRef, free: Free | undefined) {
    this.#ref = ref;
    this.#free = free;
  }

  /** Before Incus is told to end it: Incus looks at all that is mounted, and would wait where that does not answer. */
  async before({ config }: Pick<Instance, 'config'>): Promise<void> {
    const mounts = sessionRecord(config)?.mounts.mounts ?? [];
    const sources = mounts.map(({ source }) => source);
    await this.#free?.(this.#ref, sources).catch(() => undefined);
  }

  async while<Result>(waiting: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.#ask(), askEveryMs);
    return await waiting.finally(() => clearInterval(timer));
  }

  /** The failure, with what holds the container. */
  told(failure: unknown): unknown {
    if (this.#holders.length === 0 || !(failure instanceof CoiError)) return failure;
    const held = this.#holders.map(
      ({ pid, program, waitsIn }) =>
        `process ${pid} (${program})${waitsIn === '' ? '' : ` in ${waitsIn}`}`,
    );
    return new CoiError(
      failure.code,
      `${failure.message}: the kernel keeps ${held.join(', ')}, which no signal reaches`,
      {
        hint: 'It ends when what it waits for answers or is gone (a network file system, a disk); then try again. Else only a reboot of the host ends it.',
        cause: failure,
      },
    );
  }

  #ask(): void {
    this.#free?.(this.#ref).then(
      ({ holders }) => {
        this.#holders = holders;
      },
      // coid is away, or older: the end fails as it would without it.
      () => {},
    );
  }
}
