// The ports to guard: those of reservations and instances, each once.
import type { Instance } from '../../incus/shapes.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { type Permits, withPermits } from './permits.ts';
import { portOfInstance, portOfLease, type SessionPort } from './ports.ts';

export interface PortSources {
  readonly incusCache: Pick<IncusCache, 'bridge'>;
  readonly leases: Pick<Leases, 'all'>;
  readonly runDir: string;
}

export class GuardablePorts {
  readonly #sources: PortSources;
  readonly #permits: Pick<Permits, 'of'>;
  #sessions: readonly SessionPort[] = [];

  constructor(sources: PortSources, permits: Pick<Permits, 'of'>) {
    this.#sources = sources;
    this.#permits = permits;
  }

  all(): readonly SessionPort[] {
    return this.#sessions;
  }

  of(hostName: string): SessionPort | undefined {
    return this.#sessions.find(({ port }) => port.hostName === hostName);
  }

  has(hostName: string): boolean {
    return this.of(hostName) !== undefined;
  }

  /** Updates the ports from the current instances and reservations. */
  async update(instances: readonly Instance[]): Promise<void> {
    const { incusCache, leases, runDir } = this.#sources;
    const gateway = (await incusCache.bridge().catch(() => undefined))?.gateway ?? '';
    // No await from here on, so that a new reservation is in the leases or among the instances.
    const ofInstances = instances.flatMap(
      (instance) => portOfInstance(instance, runDir, gateway) ?? [],
    );
    const byName = new Map(
      [...leases.all().map(portOfLease), ...ofInstances].map((session) => [
        session.port.hostName,
        session,
      ]),
    );
    this.#sessions = [...byName.values()];
  }

  /** Adds a port and replaces others with its name or address. */
  remember(session: SessionPort): void {
    const { hostName, address } = session.port;
    const others = this.#sessions.filter(
      ({ port }) => port.hostName !== hostName && port.address !== address,
    );
    this.#sessions = [...others, session];
  }

  forget(hostName: string): void {
    this.#sessions = this.#sessions.filter(({ port }) => port.hostName !== hostName);
  }

  withPermits({ port }: SessionPort): GuardedPort {
    return withPermits(port, this.#permits.of(port.hostName));
  }

  /** All ports with their temporary permits. */
  effective(): GuardedPort[] {
    return this.#sessions.map((session) => this.withPermits(session));
  }
}
