// What coid knows of Incus: the instances and the bridge, fetched when asked for and kept until an event says that they changed.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type Bridge, chooseBridge } from '../reservations/bridge.ts';

/** A value that is fetched once for all who ask meanwhile, and anew after `forget`. */
class Kept<T> {
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

/** As long as for any call to Incus: it may have much to do, and whoever waits for coid is told that it does. */
const fetchLimitMs = 30_000;

/** Only worth keeping while events arrive: whoever loses them calls `forget` and `keep(false)`. */
export class World {
  readonly #instances: Kept<readonly Instance[]>;
  readonly #bridge: Kept<Bridge>;
  #keeping = false;

  constructor(incus: Incus) {
    this.#instances = new Kept(() => incus.instances({ timeoutMs: fetchLimitMs }));
    this.#bridge = new Kept(async () => {
      const options = { timeoutMs: fetchLimitMs };
      return chooseBridge(
        ...(await Promise.all([incus.networks(options), incus.profile('default', options)])),
      );
    });
  }

  instances(): Promise<readonly Instance[]> {
    if (!this.#keeping) this.#instances.forget();
    return this.#instances.get();
  }

  bridge(): Promise<Bridge> {
    if (!this.#keeping) this.#bridge.forget();
    return this.#bridge.get();
  }

  /** Incus has not answered all that it was asked. */
  get isWaiting(): boolean {
    return this.#instances.isFetching || this.#bridge.isFetching;
  }

  keep(keeping: boolean): void {
    this.#keeping = keeping;
    this.forgetInstances();
    this.forgetBridge();
  }

  /** The instances as they are now, whatever is remembered. */
  look(): Promise<readonly Instance[]> {
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
