// Monitoring of all sessions: one watch per session that enables it, scheduled sampling, and queries.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { BoundedReads } from '../../host/proc/bounded-read.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { parseAlert } from '../../monitor/alert.ts';
import { changeBetween } from '../../monitor/sample.ts';
import { parseMonitorKey } from '../../monitor/settings.ts';
import { type Snapshot, snapshotOf } from '../../monitor/snapshot.ts';
import { quoted } from '../../names.ts';
import { findByRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Tampering } from '../protect/tampering.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { StuckContainers } from '../reconcile/stuck.ts';
import { hostRootUid, maySee, reportedNetwork } from './adopted.ts';
import { AuditLogs } from './audit-log.ts';
import { ContainerWatch, type Effects, logOf, type WatchedSession } from './container-watch.ts';
import type { Decoys } from './decoys.ts';
import { type EffectParts, effectsOf } from './effects.ts';
import { respondToTampering } from './respond-to-tampering.ts';
import { Sampler, type SampleSources } from './sampler.ts';
import { runSteps, WatchScheduler } from './watch-scheduler.ts';

export interface MonitorParts {
  readonly incus: Incus;
  readonly incusCache: IncusCache;
  readonly libc: Pick<Libc, 'account'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly program: readonly string[];
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  readonly reads: Pick<BoundedReads, 'forContainer'>;
  readonly sampleSources?: SampleSources;
  readonly decoys?: Pick<Decoys, 'plant'>;
  readonly stuck?: Pick<StuckContainers, 'whileWaiting'>;
}

/** Time between the two samples for a snapshot of an unwatched container. */
const snapshotMs = 300;
const expireEveryMs = 3_600_000;

export class Monitors {
  readonly logs: AuditLogs;
  readonly #parts: MonitorParts;
  readonly #watches = new Map<string, ContainerWatch>();
  readonly #turns: WatchScheduler;
  /** Mounts ids of containers whose watch is starting. */
  readonly #starting = new Set<string>();
  /** Mounts ids of containers that are being killed: pausing again would interrupt the kill. */
  readonly #beingKilled = new Set<string>();
  #expiredMs = Number.NEGATIVE_INFINITY;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.logs = new AuditLogs(parts.stateDir, parts.now);
    this.#turns = new WatchScheduler({ ...parts, after: () => this.#expire() });
  }

  /** Starts and ends watches to match the instances. Called in each reconcile pass; does not wait. */
  reconcile(instances: readonly Instance[]): void {
    this.#expire();
    const live = instances.filter(({ status }) => status !== 'Stopped');
    const ids = new Set(live.map(({ config }) => sessionRecord(config)?.mounts.id));
    for (const id of this.#beingKilled) if (!ids.has(id)) this.#beingKilled.delete(id);
    const wanted = new Map(
      instances.flatMap((instance) => {
        const session = sessionRecord(instance.config);
        const settings = parseMonitorKey(instance.config[keys.monitor]);
        const alive = instance.status === 'Running' || instance.status === 'Frozen';
        const ours = session?.mounts.runDir === this.#parts.runDir;
        return session && settings && alive && ours && !this.#beingKilled.has(session.mounts.id)
          ? [[instance.name, { instance, session, settings }] as const]
          : [];
      }),
    );
    for (const [name, watch] of this.#watches) {
      const now = wanted.get(name);
      const same =
        now?.session.mounts.id === watch.session.mounts &&
        JSON.stringify(now.settings) === JSON.stringify(watch.session.settings);
      if (same && !watch.ended) continue;
      this.#watches.delete(name);
      this.#turns.forget(watch);
    }
    for (const [name, { instance, session, settings }] of wanted) {
      const mounts = session.mounts.id;
      if (this.#watches.has(name) || this.#starting.has(mounts)) continue;
      this.#starting.add(mounts);
      this.#start(instance, session, {
        name,
        owner: session.owner,
        idmapBase: session.mounts.idmapBase,
        mounts,
        settings,
      })
        .catch((error: unknown) => this.#parts.log('warning', 'watch-failed', { name, error }))
        .finally(() => this.#starting.delete(mounts));
    }
  }

  /**
   * Handles a change to a protected path by one of the sessions with these mounts, or by the user. If a guard was removed
   * or a directory replaced, the sessions are paused at once, watched or not.
   */
  tampered(ids: readonly string[], tampering: Tampering): void {
    const { path, what } = tampering;
    const watches = [...this.#watches.values()].filter(({ session }) =>
      ids.includes(session.mounts),
    );
    const watched = watches.map(({ session }) => session.mounts);
    const answered = what === 'made' ? ids.filter((id) => !watched.includes(id)) : ids;
    respondToTampering(this.#parts, answered, tampering).catch((error: unknown) =>
      this.#parts.log('error', 'tampering-not-answered', { path, error }),
    );
    // No attack on the guard.
    if (what === 'lost' || what === 'failing') return;
    const kind = what === 'made' ? 'persistence' : 'tampering';
    for (const watch of watches) watch.addTouch({ path, kind, written: true, pid: 0, program: '' });
  }

  /** Reports that a session created a setuid or setgid program, or one with capabilities. */
  setIdFound(id: string, path: string): void {
    const touch = { path, kind: 'set-id', written: true, pid: 0, program: '' } as const;
    for (const watch of this.#watches.values())
      if (watch.session.mounts === id) watch.addTouch(touch);
  }

  /** Current activity of one of the peer's sessions, watched or not. Throws CoiError. */
  async snapshot(name: string, peer: Peer): Promise<Snapshot> {
    const { instance, session } = await this.#find(name, peer);
    const watch = this.#watches.get(name);
    const known = watch?.ended === false ? watch.snapshot() : undefined;
    if (known) return known;
    if (instance.status !== 'Running' && instance.status !== 'Frozen') {
      throw new CoiError('session-not-found', `container ${name} is not running`, {
        hint: 'Run `coi list` to see your sessions.',
      });
    }
    const sampler = await this.#sampler(instance, session);
    const before = sampler && (await runSteps(sampler.sample()));
    await delay(snapshotMs, undefined, { signal: this.#parts.signal });
    const now = sampler && (await runSteps(sampler.sample()));
    if (!before || !now)
      throw new CoiError('session-not-found', `container ${name} has just ended`);
    const about = {
      watched: watch?.ended === false,
      paused: instance.status === 'Frozen',
      idmapBase: session?.mounts.idmapBase ?? hostRootUid(instance),
      threats: [],
    };
    return snapshotOf(now, before, changeBetween(before, now), about);
  }

  /** Current activity of all running sessions of the peer. */
  async snapshots(peer: Peer): Promise<Snapshot[]> {
    const instances = await this.#parts.incusCache.instances();
    const names = instances
      .filter(
        ({ status, config }) =>
          (status === 'Running' || status === 'Frozen') && this.#isOf(sessionRecord(config), peer),
      )
      .map(({ name }) => name);
    const settled = await Promise.allSettled(names.map((name) => this.snapshot(name, peer)));
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** Lines of an audit log after the given number, also of a deleted session. Waits up to `waitMs` if there are none. */
  async audit(
    name: string,
    peer: Peer,
    { after, waitMs }: { after: number; waitMs: number },
  ): Promise<{ lines: string[]; head: { seq: number; hash: string } | undefined }> {
    const owner = peer.uid === 0 ? (this.logs.ownersOf(name)[0] ?? 0) : peer.uid;
    const log = { owner, container: name };
    const seen = this.logs.head(log)?.seq ?? 0;
    if (waitMs > 0 && seen <= after) await this.logs.untilAppended(log, waitMs, this.#parts.signal);
    if (after === 0) return this.logs.read(log);
    // A client that tails the log polls for each record, so only new lines are read.
    const fresh = Math.max(0, (this.logs.head(log)?.seq ?? 0) - after);
    const { lines, head } = this.logs.read(log, fresh);
    return { lines: fresh === 0 ? [] : lines.slice(-fresh), head };
  }

  async #start(instance: Instance, session: SessionRecord, watched: WatchedSession): Promise<void> {
    const { elapsedMs, now, log } = this.#parts;
    const sampler = await this.#sampler(instance, session);
    if (!sampler || this.#watches.has(watched.name)) return;
    const alert = parseAlert(instance.config[keys.alert]);
    const watch: ContainerWatch = new ContainerWatch(watched, {
      sampler,
      logs: this.logs,
      effects: this.#effects((_, evidence) => watch.note('evidence-kept', evidence)),
      now,
      elapsedMs,
      alert,
    });
    this.#watches.set(watched.name, watch);
    this.logs.keepFor(logOf(watched), watched.settings.retentionDays);
    this.#turns.add(watch);
    log('info', 'watching', { name: watched.name, pollMs: watched.settings.pollMs });
    if (watched.settings.bait)
      await this.#parts.decoys?.plant(watched.name, sampler.container.initPid);
  }

  #effects(note: EffectParts['note']) {
    const killFailed = ({ mounts }: WatchedSession) => void this.#beingKilled.delete(mounts);
    const effects = effectsOf({ ...this.#parts, note, killFailed: killFailed });
    const kill: Effects['kill'] = (session, cause) => {
      this.#beingKilled.add(session.mounts);
      effects.kill(session, cause);
    };
    return { ...effects, kill };
  }

  async #sampler(
    instance: Instance,
    session: SessionRecord | undefined,
  ): Promise<Sampler | undefined> {
    const { incus, incusCache, signal, now, elapsedMs, sampleSources, reads } = this.#parts;
    const [state, { gateway, prefixLength }] = await Promise.all([
      incus.instanceState(instance.name, { signal }),
      incusCache.bridge(),
    ]);
    // The name may have been reused meanwhile; then the pid belongs to another container.
    const { pid } = state;
    if (pid <= 0 || !(await findByRef(incus, refOf(instance), { signal }))) return undefined;
    const device = instance.devices['eth0'] ?? instance.expanded_devices['eth0'];
    const container = {
      name: instance.name,
      initPid: pid,
      hostName: device?.['host_name'] ?? instance.config['volatile.eth0.host_name'] ?? '',
      address: device?.['ipv4.address'] ?? '',
      network: session?.network ?? 'open',
      gateway,
      bridge: { address: gateway, bits: prefixLength },
      ...(session ? {} : reportedNetwork(instance, state)),
    };
    return Sampler.of(container, { now, elapsedMs }, sampleSources, reads.forContainer());
  }

  #expire(): void {
    if (this.#parts.elapsedMs() - this.#expiredMs < expireEveryMs) return;
    this.#expiredMs = this.#parts.elapsedMs();
    try {
      this.logs.expire();
    } catch (error) {
      this.#parts.log('warning', 'audit-not-expired', { error });
    }
  }

  async #find(
    name: string,
    peer: Peer,
  ): Promise<{ instance: Instance; session: SessionRecord | undefined }> {
    const instance = (await this.#parts.incusCache.instances()).find((one) => one.name === name);
    const session = instance && sessionRecord(instance.config);
    if (instance && (session ? this.#isOf(session, peer) : await maySee(instance, peer)))
      return { instance, session };
    throw new CoiError('session-not-found', `this user has no session ${quoted(name)}`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  }

  #isOf(session: SessionRecord | undefined, peer: Peer): boolean {
    if (session?.mounts.runDir !== this.#parts.runDir) return false;
    return peer.uid === 0 || peer.uid === session.owner;
  }
}
