// Records Incus lifecycle events from the start, so that a test waits for events and not for time.
import type { EventStream, Incus } from '../../src/incus/client.ts';
import type { LifecycleEvent } from '../../src/incus/shapes.ts';

const waitLimitMs = 60_000;
const shownMax = 20;

export class Lifecycle implements Disposable {
  readonly #stream: EventStream;
  readonly #seen: string[] = [];
  /** Current waiters; there may be several. */
  readonly #waiting = new Set<() => void>();
  /** Why no more events come. */
  #lost: unknown;

  private constructor(stream: EventStream) {
    this.#stream = stream;
    void this.#read();
  }

  /** Every later event is recorded. */
  static async open(incus: Incus): Promise<Lifecycle> {
    const stream = incus.events(['lifecycle']);
    await stream.ready;
    return new Lifecycle(stream);
  }

  /** Resolves when an action (`instance-deleted`) was reported for that instance, `times` times in total. */
  async until(action: string, name: string, times = 1): Promise<void> {
    const wanted = `${action} ${name}`;
    await this.#until((event) => event === wanted, wanted, times);
  }

  /** Resolves when that action was reported for any instance whose name starts with `prefix`. */
  async first(action: string, prefix: string): Promise<void> {
    await this.#until((event) => event.startsWith(`${action} ${prefix}`), action);
  }

  has(action: string, name: string): boolean {
    return this.#seen.includes(`${action} ${name}`);
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }

  async #until(fits: (event: string) => boolean, what: string, times = 1): Promise<void> {
    const limit = AbortSignal.timeout(waitLimitMs);
    while (this.#seen.filter(fits).length < times) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add(resolve);
        const problem = () => {
          const last = this.#seen.slice(-shownMax).join(', ');
          return new Error(
            `no ${what} in ${waitLimitMs} ms; last of ${this.#seen.length}: ${last}`,
            {
              cause: this.#lost,
            },
          );
        };
        limit.onabort = () => reject(problem());
      });
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.#stream) this.#keep(event as LifecycleEvent);
    } catch (error) {
      this.#lost = error;
    }
  }

  #keep({ metadata: { action, source } }: LifecycleEvent): void {
    this.#seen.push(`${action} ${source.split('?')[0]?.split('/').at(-1)}`);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
