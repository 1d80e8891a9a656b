// Guards the ports of all sessions: in force before a container is created, gone when it is gone, put right when somebody meddles.
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import { openNft } from '../../host/nft.ts';
import type { ElementWriter } from '../../host/nft-elements.ts';
import type { Instance } from '../../incus/shapes.ts';
import { Guard } from '../../network/guard.ts';
import { needsResolver, networkPolicy, plainPolicy } from '../../network/policy.ts';
import type { GuardedPort } from '../../network/session-rules.ts';
import { sessionRecord } from '../../session/record.ts';
import type { Leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mount-roots.ts';
import type { NetworkMode, Reservation, ReserveRequest } from '../protocol.ts';
import type { World } from '../world.ts';
import { watchDamage } from './damage.ts';
import { DnsService } from './dns.ts';
import { refuseOtherMode, treesOf } from './live-modes.ts';
import { localNetworks } from './local.ts';
import { Permits, withPermits } from './permits.ts';
import { placesOf } from './places.ts';
import { portOfInstance, portOfLease, portOfReservation, type SessionPort } from './ports.ts';

export interface GuardsParts {
  readonly world: World;
  readonly leases: Leases;
  readonly roots: Pick<MountRoots, 'of'>;
  readonly elements: Pick<ElementWriter, 'put' | 'has'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/** Rules of a port that is gone do no harm, and taking them away costs for one what it does for ten. */
const removeAfterMs = 1000;
/** Clocks are set, and timers of Node cannot wait for longer than 24 days. */
const expiryLookMs = 60_000;

export class SessionGuards {
  readonly #parts: GuardsParts;
  readonly #guard: Guard;
  readonly permits: Permits;
  readonly dns: DnsService;
  readonly attached = localNetworks;
  #sessions: readonly SessionPort[] = [];
  #started: Promise<void> | undefined;
  #expiring: NodeJS.Timeout | undefined;
  #removing: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(parts: GuardsParts) {
    this.#parts = parts;
    const { table, dnsPort } = placesOf(parts.runDir);
    this.#guard = new Guard({
      ...{
        table,
        dnsPort,
        attached: localNetworks,
        elements: parts.elements,
        elapsedMs: parts.elapsedMs,
      },
      nft: openNft({ scratchDir: parts.runDir }),
      mended: (differences) => parts.log('warning', 'guard-mended', { differences }),
    });
    this.permits = new Permits(join(parts.stateDir, 'permits.json'), parts.now);
    this.dns = new DnsService({
      guard: this.#guard,
      port: dnsPort,
      attached: localNetworks,
      log: parts.log,
      now: parts.now,
      elapsedMs: parts.elapsedMs,
      signal: parts.signal,
    });
  }

  /** Makes what is in force like the instances and reservations. Called after each look at them; `instances` may not be older than the reservations. */
  follow(instances: readonly Instance[]): Promise<void> {
    return this.#watched(() => this.#follow(instances));
  }

  /** For `coi health`. */
  status(): { guarded: number; guardFailure: string | undefined } {
    const guarded = this.#guard.all().length - this.#gone().length;
    return { guarded, guardFailure: this.#failure };
  }

  async #follow(instances: readonly Instance[]): Promise<void> {
    await this.#wanted(instances);
    await this.#start();
    // What was reserved during that wait is among the sessions, and must not be taken for gone.
    const ports = this.#effectivePorts();
    const known = new Map(this.#guard.all().map((port) => [port.hostName, port]));
    const changed = ports.filter(
      (port) => JSON.stringify(known.get(port.hostName)) !== JSON.stringify(port),
    );
    await Promise.all(changed.map((port) => this.#put(port)));
    if (this.#gone().length > 0) this.#removeSoon();
  }

  /** Names of ports that are guarded and that no session has any more. */
  #gone(): string[] {
    const wanted = new Set(this.#sessions.map(({ port }) => port.hostName));
    return this.#guard.all().flatMap(({ hostName }) => (wanted.has(hostName) ? [] : [hostName]));
  }

  #removeSoon(): void {
    this.#removing ??= setTimeout(() => {
      this.#removing = undefined;
      this.#removeGone().catch((error: unknown) => {
        this.#parts.log('error', 'guard-not-removed', { error });
        this.#removeSoon();
      });
    }, removeAfterMs).unref();
  }

  async #removeGone(): Promise<void> {
    await Promise.all(this.#gone().map((hostName) => this.#remove(hostName)));
  }

  /** Guards the port of a reservation that is written down already. Throws `network-unprotected`. */
  async reserve(reservation: Reservation, request: ReserveRequest): Promise<void> {
    const policy = networkPolicy(request.policy ?? plainPolicy(request.network));
    const session = portOfReservation(reservation, request.workspace, policy);
    if (!this.#started) await this.follow(await this.#parts.world.instances());
    this.#remember(session);
    await this.#put(this.#effective(session));
  }

  /** Guards a container that is about to be started again, by its keys as they are now. Throws `network-unprotected`. */
  async restart(instance: Instance, mode?: NetworkMode): Promise<void> {
    const { world, roots, runDir } = this.#parts;
    const record = sessionRecord(instance.config);
    if (record && instance.status === 'Stopped') {
      const trees = treesOf(record, roots);
      refuseOtherMode(this.#parts, await world.instances(), trees, mode ?? record.network);
    }
    const session = portOfInstance(instance, runDir, (await world.bridge()).gateway);
    if (!session)
      throw new CoiError(
        'network-unprotected',
        `${instance.name} has no network interface of coi's, so nothing guards it`,
        { hint: 'Delete it and start a new session.' },
      );
    this.#remember(session);
    await this.#put(this.#effective(session));
  }

  /** Takes away the guard of a reservation that was given back. */
  async release({ nic }: Reservation): Promise<void> {
    this.#sessions = this.#sessions.filter(({ port }) => port.hostName !== nic.hostName);
    await this.#remove(nic.hostName);
  }

  #remember(session: SessionPort): void {
    const { hostName, address } = session.port;
    const others = this.#sessions.filter(
      ({ port }) => port.hostName !== hostName && port.address !== address,
    );
    this.#sessions = [...others, session];
  }

  sessions(): readonly SessionPort[] {
    return this.#sessions;
  }

  /** What is in force for a session, permits included. */
  inForce(hostName: string): GuardedPort | undefined {
    return this.#guard.get(hostName);
  }

  check(): Promise<string[]> {
    return this.#watched(() => this.#guard.check());
  }

  /** Remembers whether it failed, until it does not any more. */
  async #watched<T>(action: () => Promise<T>): Promise<T> {
    try {
      const done = await action();
      this.#failure = undefined;
      return done;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  denials() {
    return this.#guard.denials();
  }

  /** Opens an entry to a session until then. */
  async permit(session: SessionPort, entry: string, until: Date): Promise<void> {
    this.permits.add(session.port.hostName, { entry, until: until.toISOString() });
    await this.#put(this.#effective(session));
    this.#expireInTime();
  }

  /** When coid ends: rules of sessions stay, empty tables do not. */
  async end(): Promise<void> {
    clearTimeout(this.#removing);
    if (this.#started) await this.#removeGone();
    if (this.#started && this.#guard.all().length === 0) await this.#guard.removeAll();
  }

  #effective({ port }: SessionPort): GuardedPort {
    return withPermits(port, this.permits.of(port.hostName));
  }

  #effectivePorts(): GuardedPort[] {
    return this.#sessions.map((session) => this.#effective(session));
  }

  async #wanted(instances: readonly Instance[]): Promise<void> {
    const { world, leases, runDir } = this.#parts;
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

  #start(): Promise<void> {
    this.#started ??= this.#begin(this.#effectivePorts()).catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  async #begin(ports: readonly GuardedPort[]): Promise<void> {
    const { log, runDir, signal } = this.#parts;
    await this.#guard.start(ports);
    await Promise.all(
      ports
        .filter(({ policy }) => needsResolver(policy))
        .map(({ gateway }) => this.dns.listen(gateway)),
    );
    const { table } = placesOf(runDir);
    watchDamage({
      table,
      unchangedMs: () => this.#guard.unchangedMs(),
      check: () =>
        void this.check().catch((error: unknown) => log('error', 'guard-check-failed', { error })),
      signal,
    });
    this.#expireInTime();
    signal.addEventListener('abort', () => clearTimeout(this.#expiring));
    log('info', 'guard-in-force', { table, ports: ports.length });
  }

  async #put(port: GuardedPort): Promise<void> {
    if (needsResolver(port.policy)) await this.dns.listen(port.gateway);
    await this.#guard.put(port);
  }

  async #remove(hostName: string): Promise<void> {
    await this.#guard.remove(hostName);
    this.permits.remove(hostName);
    this.dns.forget(hostName);
  }

  /** Looks again when the next permit is over. */
  #expireInTime(): void {
    clearTimeout(this.#expiring);
    const next = this.permits.nextEnd();
    if (next === undefined || this.#parts.signal.aborted) return;
    const leftMs = Math.min(
      Math.max(0, next.getTime() - this.#parts.now().getTime()),
      expiryLookMs,
    );
    this.#expiring = setTimeout(() => {
      this.#expire();
      this.#expireInTime();
    }, leftMs);
  }

  /** Closes what was open for long enough. */
  #expire(): void {
    for (const hostName of this.permits.expire()) {
      const session = this.#sessions.find(({ port }) => port.hostName === hostName);
      if (session)
        void this.#put(this.#effective(session)).catch((error: unknown) =>
          this.#parts.log('error', 'permit-not-closed', { hostName, error }),
        );
    }
  }
}
