// The ports that must be guarded: those of reservations and of instances, each once.
import type { Instance } from '../../incus/shapes.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import type { World } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { type Permits, withPermits } from './permits.ts';
import { portOfInstance, portOfLease, type SessionPort } from './ports.ts';

export interface PortSources {
  readonly world: Pick<World, 'bridge'>;
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

  /** Takes what the instances and the reservations say now. */
  async follow(instances: readonly Instance[]): Promise<void> {
    const { world, leases, runDir } = this.#sources;
    const gateway = (await world.bridge().catch(() => undefined))?.gateway ?? '';
    // Without a wait from here on: a reservation made meanwhile is in the leases or among the instances.
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

  /** Adds a port, in the place of one with its name or its address. */
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

  /** All ports, each with what was permitted for a while. */
  effective(): GuardedPort[] {
    return this.#sessions.map((session) => this.withPermits(session));
  }
}
