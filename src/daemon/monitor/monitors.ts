// All that coid watches: keeps one watch for each session that asks for it, looks when it is time, and answers questions.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { PatientReads } from '../../host/proc/patient-read.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { parseAlert } from '../../monitor/alert.ts';
import { changeBetween } from '../../monitor/sample.ts';
import { parseMonitorKey } from '../../monitor/settings.ts';
import { type Snapshot, snapshotOf } from '../../monitor/snapshot.ts';
import { quoted } from '../../names.ts';
import { findMeant } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Tampering } from '../protect/tampering.ts';
import type { World } from '../reconcile/incus-cache.ts';
import type { Stuck } from '../reconcile/stuck.ts';
import { firstId, maySee, unpinned } from './adopted.ts';
import { AuditLogs } from './audit-log.ts';
import { ContainerWatch, type Effects, logOf, type WatchedSession } from './container-watch.ts';
import type { Baits } from './decoys.ts';
import { type EffectParts, effectsOf } from './effects.ts';
import { type Informants, Sampler } from './sampler.ts';
import { answerTampering } from './tampering.ts';
import { inTurns, Turns } from './turns.ts';

export interface MonitorParts {
  readonly incus: Incus;
  readonly world: World;
  readonly libc: Pick<Libc, 'account'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly program: readonly string[];
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  readonly reads: Pick<PatientReads, 'forContainer'>;
  readonly informants?: Informants;
  readonly baits?: Pick<Baits, 'plant'>;
  readonly stuck?: Pick<Stuck, 'whileWaiting'>;
}

/** Two samples of a container that is not watched, for one that asks. */
const lookMs = 300;
const expireEveryMs = 3_600_000;

export class Monitors {
  readonly logs: AuditLogs;
  readonly #parts: MonitorParts;
  readonly #watches = new Map<string, ContainerWatch>();
  readonly #turns: Turns;
  /** Ids of mounts: of containers whose watch begins. */
  readonly #starting = new Set<string>();
  /** Of containers that are being killed: whoever paused them again would stop that half-way. */
  readonly #dying = new Set<string>();
  #expiredMs = Number.NEGATIVE_INFINITY;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.logs = new AuditLogs(parts.stateDir, parts.now);
    this.#turns = new Turns({ ...parts, after: () => this.#expire() });
  }

  /** Makes the watches fit the instances: called at every look of the reconciler. Does not wait. */
  reconcile(instances: readonly Instance[]): void {
    this.#expire();
    const live = instances.filter(({ status }) => status !== 'Stopped');
    const ids = new Set(live.map(({ config }) => sessionRecord(config)?.mounts.id));
    for (const id of this.#dying) if (!ids.has(id)) this.#dying.delete(id);
    const wanted = new Map(
      instances.flatMap((instance) => {
        const session = sessionRecord(instance.config);
        const settings = parseMonitorKey(instance.config[keys.monitor]);
        const alive = instance.status === 'Running' || instance.status === 'Frozen';
        const ours = session?.mounts.runDir === this.#parts.runDir;
        return session && settings && alive && ours && !this.#dying.has(session.mounts.id)
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
   * Something about a protected path changed while the sessions with these mounts ran; one of them did it, or the user.
   * Where a guard was taken away or a directory replaced, they stand still at once, watched or not.
   */
  tampered(ids: readonly string[], tampering: Tampering): void {
    const { path, what } = tampering;
    const watches = [...this.#watches.values()].filter(({ session }) =>
      ids.includes(session.mounts),
    );
    const watched = watches.map(({ session }) => session.mounts);
    const answered = what === 'made' ? ids.filter((id) => !watched.includes(id)) : ids;
    answerTampering(this.#parts, answered, tampering).catch((error: unknown) =>
      this.#parts.log('error', 'tampering-not-answered', { path, error }),
    );
    // Nobody did anything against the guard.
    if (what === 'lost' || what === 'failing') return;
    const kind = what === 'made' ? 'persistence' : 'tampering';
    for (const watch of watches) watch.tell({ path, kind, written: true, pid: 0, program: '' });
  }

  /** A session gave a program in its workspace rights that it must not have on the host. */
  setIdFound(id: string, path: string): void {
    const touch = { path, kind: 'set-id', written: true, pid: 0, program: '' } as const;
    for (const watch of this.#watches.values()) if (watch.session.mounts === id) watch.tell(touch);
  }

  /** What is known of one session of the peer now; also of one that is not watched. Throws CoiError. */
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
    const before = sampler && (await inTurns(sampler.sample()));
    await delay(lookMs, undefined, { signal: this.#parts.signal });
    const now = sampler && (await inTurns(sampler.sample()));
    if (!before || !now)
      throw new CoiError('session-not-found', `container ${name} has just ended`);
    const about = {
      watched: watch?.ended === false,
      paused: instance.status === 'Frozen',
      idmapBase: session?.mounts.idmapBase ?? firstId(instance),
      threats: [],
    };
    return snapshotOf(now, before, changeBetween(before, now), about);
  }

  /** Of all running sessions of the peer. */
  async snapshots(peer: Peer): Promise<Snapshot[]> {
    const instances = await this.#parts.world.instances();
    const names = instances
      .filter(
        ({ status, config }) =>
          (status === 'Running' || status === 'Frozen') && this.#isOf(sessionRecord(config), peer),
      )
      .map(({ name }) => name);
    const settled = await Promise.allSettled(names.map((name) => this.snapshot(name, peer)));
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** Lines of a session's audit log, also of one that is gone, after the given number. Waits for news if there are none. */
  async audit(
    name: string,
    peer: Peer,
    { after, waitMs }: { after: number; waitMs: number },
  ): Promise<{ lines: string[]; head: { seq: number; hash: string } | undefined }> {
    const owner = peer.uid === 0 ? (this.logs.ownersOf(name)[0] ?? 0) : peer.uid;
    const log = { owner, container: name };
    const seen = this.logs.head(log)?.seq ?? 0;
    if (waitMs > 0 && seen <= after) await this.logs.changed(log, waitMs, this.#parts.signal);
    if (after === 0) return this.logs.read(log);
    // Who follows a log asks at each record: only what is new is read.
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
      await this.#parts.baits?.plant(watched.name, sampler.container.initPid);
  }

  #effects(note: EffectParts['note']) {
    const survived = ({ mounts }: WatchedSession) => void this.#dying.delete(mounts);
    const effects = effectsOf({ ...this.#parts, note, survived });
    const kill: Effects['kill'] = (session, cause) => {
      this.#dying.add(session.mounts);
      effects.kill(session, cause);
    };
    return { ...effects, kill };
  }

  async #sampler(
    instance: Instance,
    session: SessionRecord | undefined,
  ): Promise<Sampler | undefined> {
    const { incus, world, signal, now, elapsedMs, informants, reads } = this.#parts;
    const [state, { gateway, prefixLength }] = await Promise.all([
      incus.instanceState(instance.name, { signal }),
      world.bridge(),
    ]);
    // The name may be another one's by the second call; the process is this one's only if it is not.
    const { pid } = state;
    if (pid <= 0 || !(await findMeant(incus, refOf(instance), { signal }))) return undefined;
    const device = instance.devices['eth0'] ?? instance.expanded_devices['eth0'];
    const container = {
      name: instance.name,
      initPid: pid,
      hostName: device?.['host_name'] ?? instance.config['volatile.eth0.host_name'] ?? '',
      address: device?.['ipv4.address'] ?? '',
      network: session?.network ?? 'open',
      gateway,
      bridge: { address: gateway, bits: prefixLength },
      ...(session ? {} : unpinned(instance, state)),
    };
    return Sampler.of(container, { now, elapsedMs }, informants, reads.forContainer());
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
    const instance = (await this.#parts.world.instances()).find((one) => one.name === name);
    const session = instance && sessionRecord(instance.config);
    if (instance && (session ? this.#isOf(session, peer) : await maySee(instance, peer)))
      return { instance, session };
    throw new CoiError('session-not-found', `there is no session ${quoted(name)} of this user`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  }

  #isOf(session: SessionRecord | undefined, peer: Peer): boolean {
    if (session?.mounts.runDir !== this.#parts.runDir) return false;
    return peer.uid === 0 || peer.uid === session.owner;
  }
}
