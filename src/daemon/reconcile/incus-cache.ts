// Cache of Incus instances and the bridge: fetched on demand, kept until an event invalidates it.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type Bridge, chooseBridge } from '../reservations/bridge.ts';

/** A cached value; concurrent callers share one fetch. `forget` invalidates it. */
class CachedFetch<T> {
  readonly #fetch: () => Promise<T>;
  #current: Promise<T> | undefined;
  #fetching = 0;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  get(): Promise<T> {
    if (this.#current) return this.#current;
    const current = this.#fetch();
    this.#current = current;
    this.#fetching += 1;
    current.then(
      () => {
        this.#fetching -= 1;
      },
      () => {
        this.#fetching -= 1;
        if (this.#current === current) this.#current = undefined;
      },
    );
    return current;
  }

  forget(): void {
    this.#current = undefined;
  }

  get isFetching(): boolean {
    return this.#fetching > 0;
  }
}

/** The usual limit of a call to Incus, which may be busy; clients are told that coid is waiting for it. */
const fetchLimitMs = 30_000;

/** The cache is only valid while events arrive: `setEnabled(false)` turns it off when they are lost. */
export class IncusCache {
  readonly #instances: CachedFetch<readonly Instance[]>;
  readonly #bridge: CachedFetch<Bridge>;
  #enabled = false;

  constructor(incus: Incus) {
    this.#instances = new CachedFetch(() => incus.instances({ timeoutMs: fetchLimitMs }));
    this.#bridge = new CachedFetch(async () => {
      const options = { timeoutMs: fetchLimitMs };
      return chooseBridge(
        ...(await Promise.all([incus.networks(options), incus.profile('default', options)])),
      );
    });
  }

  instances(): Promise<readonly Instance[]> {
    if (!this.#enabled) this.#instances.forget();
    return this.#instances.get();
  }

  bridge(): Promise<Bridge> {
    if (!this.#enabled) this.#bridge.forget();
    return this.#bridge.get();
  }

  /** Some requests to Incus are still unanswered. */
  get isWaiting(): boolean {
    return this.#instances.isFetching || this.#bridge.isFetching;
  }

  setEnabled(keeping: boolean): void {
    this.#enabled = keeping;
    this.forgetInstances();
    this.forgetBridge();
  }

  /** Fetches the instances again. */
  refetch(): Promise<readonly Instance[]> {
    this.forgetInstances();
    return this.instances();
  }

  forgetInstances(): void {
    this.#instances.forget();
  }

  forgetBridge(): void {
    this.#bridge.forget();
  }
}
