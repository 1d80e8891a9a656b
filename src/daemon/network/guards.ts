// Guards the ports of all sessions: in force before a container is created, gone when it is gone, put right when somebody meddles.
import { join } from 'node:path';
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import type { Reservation, ReserveRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { openNft } from '../../host/net/nft.ts';
import type { ElementWriter } from '../../host/net/nft-netlink.ts';
import type { Instance } from '../../incus/shapes.ts';
import { Guard } from '../../network/guard.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import { needsResolver, networkPolicy, plainPolicy } from '../../network/policy.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { World } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { DnsService } from './dns.ts';
import { GuardablePorts } from './guardable-ports.ts';
import { localNetworks } from './host-networks.ts';
import { refuseOtherMode, treesOf } from './mode-conflicts.ts';
import { PermitExpiry } from './permit-expiry.ts';
import { Permits } from './permits.ts';
import { portOfInstance, portOfReservation, type SessionPort } from './ports.ts';
import { watchDamage } from './ruleset-watch.ts';
import { placesOf } from './table-names.ts';

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
export class SessionGuards {
  readonly #parts: GuardsParts;
  readonly #guard: Guard;
  readonly permits: Permits;
  readonly dns: DnsService;
  readonly attached = localNetworks;
  readonly #ports: GuardablePorts;
  readonly #expiry: PermitExpiry;
  #started: Promise<void> | undefined;
  #removing: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(parts: GuardsParts) {
    this.#parts = parts;
    const { table, dnsPort } = placesOf(parts.runDir);
    this.#guard = new Guard({
      table,
      dnsPort,
      attached: localNetworks,
      elements: parts.elements,
      elapsedMs: parts.elapsedMs,
      nft: openNft({ scratchDir: parts.runDir }),
      mended: (differences) => parts.log('warning', 'guard-mended', { differences }),
    });
    this.permits = new Permits(join(parts.stateDir, 'permits.json'), parts.now);
    this.#ports = new GuardablePorts(parts, this.permits);
    this.#expiry = new PermitExpiry({
      ...parts,
      permits: this.permits,
      over: (port) => this.#close(port),
    });
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
    await this.#ports.follow(instances);
    await this.#start();
    // What was reserved during that wait is among the sessions, and must not be taken for gone.
    const ports = this.#ports.effective();
    const known = new Map(this.#guard.all().map((port) => [port.hostName, port]));
    const changed = ports.filter(
      (port) => JSON.stringify(known.get(port.hostName)) !== JSON.stringify(port),
    );
    await Promise.all(changed.map((port) => this.#put(port)));
    if (this.#gone().length > 0) this.#removeSoon();
  }

  /** Names of ports that are guarded and that no session has any more. */
  #gone(): string[] {
    return this.#guard
      .all()
      .flatMap(({ hostName }) => (this.#ports.has(hostName) ? [] : [hostName]));
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
    this.#ports.remember(session);
    await this.#put(this.#ports.withPermits(session));
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
    this.#ports.remember(session);
    await this.#put(this.#ports.withPermits(session));
  }

  /** Takes away the guard of a reservation that was given back. */
  async release({ nic }: Reservation): Promise<void> {
    this.#ports.forget(nic.hostName);
    await this.#remove(nic.hostName);
  }

  sessions(): readonly SessionPort[] {
    return this.#ports.all();
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
    await this.#put(this.#ports.withPermits(session));
    this.#expiry.follow();
  }

  /** When coid ends: rules of sessions stay, empty tables do not. */
  async end(): Promise<void> {
    clearTimeout(this.#removing);
    if (this.#started) await this.#removeGone();
    if (this.#started && this.#guard.all().length === 0) await this.#guard.removeAll();
  }

  #start(): Promise<void> {
    this.#started ??= this.#begin(this.#ports.effective()).catch((error: unknown) => {
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
    this.#expiry.follow();
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

  /** Closes what was open for long enough. */
  #close(hostName: string): void {
    const session = this.#ports.of(hostName);
    if (session)
      void this.#put(this.#ports.withPermits(session)).catch((error: unknown) =>
        this.#parts.log('error', 'permit-not-closed', { hostName, error }),
      );
  }
}
