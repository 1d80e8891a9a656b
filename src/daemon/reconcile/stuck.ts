// Frees a killed container that does not stop because its processes are blocked in the kernel. If they wait for a FUSE
// file system that one of them serves, they would wait forever, so its connection is aborted. Other blocked processes are
// reported. Only files in /proc that need no lock of a blocked process are read.
import type { BlockedProcess, StuckReply } from '../../coid-api/stuck-protocol.ts';
import {
  abortConnection,
  connectionsMountedBy,
  connectionsOwnedBy,
  type HostIds,
  withFuseControl,
} from '../../host/linux/fuse.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';
import { type BoundedReads, blockedRead, type FileReader } from '../../host/proc/bounded-read.ts';
import { cgroupsByName, findCgroups } from '../../host/proc/cgroups.ts';
import { ProcessList } from '../../host/proc/process-list.ts';
import { isEnding, statusOf } from '../../host/proc/process-status.ts';
import type { Incus } from '../../incus/client.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import { hostRootUid } from '../monitor/adopted.ts';
import { runSteps } from '../monitor/watch-scheduler.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';

export interface StuckParts {
  readonly incus: Pick<Incus, 'instance' | 'instances' | 'instanceState'>;
  readonly libc: Pick<Libc, 'newMount'>;
  readonly reads: Pick<BoundedReads, 'forFiles'>;
  readonly files: Pick<RemoteFileSystems, 'check'>;
  readonly log: Log;
  readonly runDir: string;
  readonly signal: AbortSignal;
}

/** A forced stop that takes longer than this is blocked. */
const stuckMs = 5000;
const idsPerContainer = 65_536;
const holdersMax = 8;

export class StuckContainers {
  readonly #parts: StuckParts;

  constructor(parts: StuckParts) {
    this.#parts = parts;
  }

  /** For a killed container. Does nothing if it is running, gone or another one of that name. Throws IncusError. */
  async free(name: string, mountsId: string, owner?: number): Promise<StuckReply> {
    const { incus, libc, log, reads, runDir, signal } = this.#parts;
    // Detaches unresponsive file systems, for which Incus would wait.
    await this.#parts.files.check();
    const nothing: StuckReply = { aborted: 0, holders: [] };
    const session = sessionRecord((await incus.instance(name, { signal }))?.instance.config ?? {});
    if (session?.mounts.runDir !== runDir || session.mounts.id !== mountsId) return nothing;
    if (owner !== undefined && owner !== 0 && owner !== session.owner) return nothing;
    const pids = await this.#processes(name);
    const reader = reads.forFiles();
    const init = await runSteps(initOf(pids, new Allowance()));
    // While init lives, the container's file systems are left alone.
    if (pids.length === 0 || (init !== undefined && !isEnding(init, reader))) return nothing;
    const ids = { first: session.mounts.idmapBase, count: idsPerContainer };
    const aborted = await withFuseControl(libc, async (control) => {
      const connections = await this.#connections(name, { pids, ids, control });
      return connections.filter((connection) => abortConnection(control, connection));
    });
    const holders = pids.flatMap((pid) => blockedProcess(pid, reader)).slice(0, holdersMax);
    log('warning', 'stuck', { name, aborted, holders });
    return { aborted: aborted.length, holders };
  }

  /** Calls `free` regularly until `waiting` settles. Errors of `free` are only logged. */
  async whileWaiting<Result>(
    { name, mountsId }: { readonly name: string; readonly mountsId: string | undefined },
    waiting: Promise<Result>,
  ): Promise<Result> {
    const free = () => {
      if (mountsId === undefined) return;
      this.free(name, mountsId).catch((error: unknown) =>
        this.#parts.log('warning', 'not-freed', { name, error }),
      );
    };
    const timer = setInterval(free, stuckMs);
    return await waiting.finally(() => clearInterval(timer));
  }

  /** Connections that the container has mounted, and those of its ids that are mounted nowhere: a detached mount may still be in use. */
  async #connections(
    name: string,
    { pids, ids, control }: KilledContainer,
  ): Promise<readonly number[]> {
    const owned = connectionsOwnedBy(ids, control);
    const mounted = (await runSteps(connectionsMountedBy(pids, new Allowance()))) ?? new Set();
    if (owned.every((connection) => mounted.has(connection))) return owned;
    // Sessions of one workspace share their ids.
    const elsewhere = new Set<number>();
    for (const other of await this.#others(name, ids)) {
      const theirs = await this.#processes(other);
      const seen = await runSteps(connectionsMountedBy(theirs, new Allowance()));
      for (const connection of seen ?? []) elsewhere.add(connection);
    }
    return owned.filter((connection) => mounted.has(connection) || !elsewhere.has(connection));
  }

  /** Other containers with some of these ids. */
  async #others(name: string, { first, count }: HostIds): Promise<readonly string[]> {
    const { incus, signal } = this.#parts;
    return (await incus.instances({ signal }))
      .filter((instance) => {
        const base = sessionRecord(instance.config)?.mounts.idmapBase ?? hostRootUid(instance);
        return instance.name !== name && Math.abs(base - first) < count;
      })
      .map((instance) => instance.name);
  }

  async #processes(name: string): Promise<readonly number[]> {
    const { incus, signal } = this.#parts;
    const cgroups =
      cgroupsByName(name) ??
      findCgroups((await incus.instanceState(name, { signal, timeoutMs: stuckMs })).pid);
    if (!cgroups) return [];
    const read = await runSteps(new ProcessList(cgroups).read(new Allowance()));
    return read?.pids ?? [];
  }
}

interface KilledContainer {
  readonly pids: readonly number[];
  readonly ids: HostIds;
  readonly control: string;
}

function* initOf(pids: readonly number[], allowance: Allowance): Steps<number | undefined> {
  for (const pid of pids) {
    if (statusOf(pid)?.isInit) return pid;
    yield* allowance.yieldIfDue();
  }
  return undefined;
}

/** A process in uninterruptible sleep. */
function blockedProcess(pid: number, reader: FileReader): BlockedProcess[] {
  const status = statusOf(pid);
  if (status?.state !== 'D') return [];
  const waitsIn = reader.read(`/proc/${pid}/wchan`);
  return [
    { pid, program: status.comm, waitsIn: (waitsIn === blockedRead ? '' : waitsIn?.trim()) ?? '' },
  ];
}
