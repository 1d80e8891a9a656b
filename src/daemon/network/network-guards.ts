// Guards the ports of all sessions: from before the container is created until it is gone, and repaired after changes.
import { join } from 'node:path';
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import type { Reservation, ReserveRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { openNft } from '../../host/net/nft.ts';
import type { ElementWriter } from '../../host/net/nft-netlink.ts';
import type { Instance } from '../../incus/shapes.ts';
import { Guard } from '../../network/guard.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import { defaultPolicy, needsResolver, networkPolicy } from '../../network/policy.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { DnsService } from './dns.ts';
import { GuardablePorts } from './guardable-ports.ts';
import { localNetworks } from './host-networks.ts';
import { mountedTrees, refuseOtherMode } from './mode-conflicts.ts';
import { PermitExpiry } from './permit-expiry.ts';
import { Permits } from './permits.ts';
import { portOfInstance, portOfReservation, type SessionPort } from './ports.ts';
import { watchRuleset } from './ruleset-watch.ts';
import { tableNames } from './table-names.ts';

export interface NetworkGuardsParts {
  readonly incusCache: IncusCache;
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

/** Delay before rules of deleted ports are removed: they do no harm, and removing ten costs as much as one. */
const removeAfterMs = 1000;
export class NetworkGuards {
  readonly #parts: NetworkGuardsParts;
  readonly #guard: Guard;
  readonly permits: Permits;
  readonly dns: DnsService;
  readonly attached = localNetworks;
  readonly #ports: GuardablePorts;
  readonly #expiry: PermitExpiry;
  #started: Promise<void> | undefined;
  #removing: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(parts: NetworkGuardsParts) {
    this.#parts = parts;
    const { table, dnsPort } = tableNames(parts.runDir);
    this.#guard = new Guard({
      table,
      dnsPort,
      attached: localNetworks,
      elements: parts.elements,
      elapsedMs: parts.elapsedMs,
      nft: openNft({ scratchDir: parts.runDir }),
      onRepaired: (differences) => parts.log('warning', 'guard-mended', { differences }),
    });
    this.permits = new Permits(join(parts.stateDir, 'permits.json'), parts.now);
    this.#ports = new GuardablePorts(parts, this.permits);
    this.#expiry = new PermitExpiry({
      ...parts,
      permits: this.permits,
      onExpired: (port) => this.#close(port),
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

  /** Makes the rules match instances and reservations. Called in each reconcile pass. `instances` must not be older than the reservations. */
  reconcile(instances: readonly Instance[]): Promise<void> {
    return this.#trackFailure(() => this.#reconcile(instances));
  }

  /** For `coi health`. */
  status(): { guarded: number; guardFailure: string | undefined } {
    const guarded = this.#guard.all().length - this.#gone().length;
    return { guarded, guardFailure: this.#failure };
  }

  async #reconcile(instances: readonly Instance[]): Promise<void> {
    await this.#ports.update(instances);
    await this.#start();
    // Includes reservations made during that wait: they must not count as gone.
    const ports = this.#ports.effective();
    const known = new Map(this.#guard.all().map((port) => [port.hostName, port]));
    const changed = ports.filter(
      (port) => JSON.stringify(known.get(port.hostName)) !== JSON.stringify(port),
    );
    await Promise.all(changed.map((port) => this.#put(port)));
    if (this.#gone().length > 0) this.#removeSoon();
  }

  /** Guarded ports without a session. */
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

  /** Guards the port of a saved reservation. Throws `network-unprotected`. */
  async reserve(reservation: Reservation, request: ReserveRequest): Promise<void> {
    const policy = networkPolicy(request.policy ?? defaultPolicy(request.network));
    const session = portOfReservation(reservation, request.workspace, policy);
    if (!this.#started) await this.reconcile(await this.#parts.incusCache.instances());
    this.#ports.remember(session);
    await this.#put(this.#ports.withPermits(session));
  }

  /** Guards a container that is about to restart, by its current keys. Throws `network-unprotected`. */
  async restart(instance: Instance, mode?: NetworkMode): Promise<void> {
    const { incusCache, roots, runDir } = this.#parts;
    const record = sessionRecord(instance.config);
    if (record && instance.status === 'Stopped') {
      const trees = mountedTrees(record, roots);
      refuseOtherMode(this.#parts, await incusCache.instances(), trees, mode ?? record.network);
    }
    const session = portOfInstance(instance, runDir, (await incusCache.bridge()).gateway);
    if (!session)
      throw new CoiError(
        'network-unprotected',
        `${instance.name} has no network interface from coi, so it cannot be guarded`,
        { hint: 'Delete it and start a new session.' },
      );
    this.#ports.remember(session);
    await this.#put(this.#ports.withPermits(session));
  }

  /** Removes the guard of a released reservation. */
  async release({ nic }: Reservation): Promise<void> {
    this.#ports.forget(nic.hostName);
    await this.#remove(nic.hostName);
  }

  sessions(): readonly SessionPort[] {
    return this.#ports.all();
  }

  /** The active rules of a session, permits included. */
  activeRules(hostName: string): GuardedPort | undefined {
    return this.#guard.get(hostName);
  }

  check(): Promise<string[]> {
    return this.#trackFailure(() => this.#guard.check());
  }

  /** Keeps the last failure until an action succeeds. */
  async #trackFailure<T>(action: () => Promise<T>): Promise<T> {
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

  /** Permits an entry to a session until that time. */
  async permit(session: SessionPort, entry: string, until: Date): Promise<void> {
    this.permits.add(session.port.hostName, { entry, until: until.toISOString() });
    await this.#put(this.#ports.withPermits(session));
    this.#expiry.schedule();
  }

  /** Called when coid stops: rules of sessions stay, empty tables are removed. */
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
    const { table } = tableNames(runDir);
    watchRuleset({
      table,
      unchangedMs: () => this.#guard.unchangedMs(),
      check: () =>
        void this.check().catch((error: unknown) => log('error', 'guard-check-failed', { error })),
      signal,
    });
    this.#expiry.schedule();
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

  /** Removes expired permits. */
  #close(hostName: string): void {
    const session = this.#ports.of(hostName);
    if (session)
      void this.#put(this.#ports.withPermits(session)).catch((error: unknown) =>
        this.#parts.log('error', 'permit-not-closed', { hostName, error }),
      );
  }
}
