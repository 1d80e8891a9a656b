// A container that is killed and does not end, since processes of it wait in the kernel. Those that wait for a file
// system which one of them serves would do so for ever: their connections are ended. What else holds it is told. Of such
// a process nothing is read that the kernel gives with a lock which the process may hold.
import type { Holder, StuckReply } from '../../coid-api/stuck-protocol.ts';
import {
  abortConnection,
  type HostIds,
  mountedBy,
  ownedBy,
  withControl,
} from '../../host/linux/fuse.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';
import { findCgroups, groupsByName } from '../../host/proc/cgroups.ts';
import { type FileReader, type PatientReads, waits } from '../../host/proc/patient-read.ts';
import { ProcessList } from '../../host/proc/process-list.ts';
import { isEnding, statusOf } from '../../host/proc/process-status.ts';
import type { Incus } from '../../incus/client.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import { firstId } from '../monitor/adopted.ts';
import { inTurns } from '../monitor/turns.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';

export interface StuckParts {
  readonly incus: Pick<Incus, 'instance' | 'instances' | 'instanceState'>;
  readonly libc: Pick<Libc, 'mountOf'>;
  readonly reads: Pick<PatientReads, 'forFiles'>;
  readonly files: Pick<RemoteFiles, 'look'>;
  readonly log: Log;
  readonly runDir: string;
  readonly signal: AbortSignal;
}

/** A force that has not ended a container by then waits for something. */
const stuckMs = 5000;
const idsPerContainer = 65_536;
const holdersMax = 8;

export class Stuck {
  readonly #parts: StuckParts;

  constructor(parts: StuckParts) {
    this.#parts = parts;
  }

  /** For a container that was killed, or is about to be. Nothing where it runs or is gone, or is another one than that. Throws IncusError. */
  async free(name: string, mountsId: string, owner?: number): Promise<StuckReply> {
    const { incus, libc, log, reads, runDir, signal } = this.#parts;
    // Incus waits for what does not answer, unless it is taken away.
    await this.#parts.files.look();
    const nothing: StuckReply = { aborted: 0, holders: [] };
    const session = sessionRecord((await incus.instance(name, { signal }))?.instance.config ?? {});
    if (session?.mounts.runDir !== runDir || session.mounts.id !== mountsId) return nothing;
    if (owner !== undefined && owner !== 0 && owner !== session.owner) return nothing;
    const pids = await this.#processes(name);
    const reader = reads.forFiles();
    const init = await inTurns(initOf(pids, new Allowance()));
    // As long as it lives, its file systems are its own affair.
    if (pids.length === 0 || (init !== undefined && !isEnding(init, reader))) return nothing;
    const ids = { first: session.mounts.idmapBase, count: idsPerContainer };
    const aborted = await withControl(libc, async (control) => {
      const connections = await this.#connections(name, { pids, ids, control });
      return connections.filter((connection) => abortConnection(control, connection));
    });
    const holders = pids.flatMap((pid) => holderOf(pid, reader)).slice(0, holdersMax);
    log('warning', 'stuck', { name, aborted, holders });
    return { aborted: aborted.length, holders };
  }

  /** Calls it again and again while somebody waits for a container to end. Ends with the waiting; never fails. */
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

  /** Those that it has mounted, and those of its ids that are mounted nowhere: a mount that was detached still has its users. */
  async #connections(name: string, { pids, ids, control }: Killed): Promise<readonly number[]> {
    const owned = ownedBy(ids, control);
    const mounted = (await inTurns(mountedBy(pids, new Allowance()))) ?? new Set();
    if (owned.every((connection) => mounted.has(connection))) return owned;
    // Sessions of one workspace have the same ids.
    const elsewhere = new Set<number>();
    for (const other of await this.#others(name, ids)) {
      const theirs = await this.#processes(other);
      const seen = await inTurns(mountedBy(theirs, new Allowance()));
      for (const connection of seen ?? []) elsewhere.add(connection);
    }
    return owned.filter((connection) => mounted.has(connection) || !elsewhere.has(connection));
  }

  /** Other containers with some of these ids. */
  async #others(name: string, { first, count }: HostIds): Promise<readonly string[]> {
    const { incus, signal } = this.#parts;
    return (await incus.instances({ signal }))
      .filter((instance) => {
        const base = sessionRecord(instance.config)?.mounts.idmapBase ?? firstId(instance);
        return instance.name !== name && Math.abs(base - first) < count;
      })
      .map((instance) => instance.name);
  }

  async #processes(name: string): Promise<readonly number[]> {
    const { incus, signal } = this.#parts;
    const cgroups =
      groupsByName(name) ??
      findCgroups((await incus.instanceState(name, { signal, timeoutMs: stuckMs })).pid);
    if (!cgroups) return [];
    const read = await inTurns(new ProcessList(cgroups).read(new Allowance()));
    return read?.pids ?? [];
  }
}

interface Killed {
  readonly pids: readonly number[];
  readonly ids: HostIds;
  readonly control: string;
}

function* initOf(pids: readonly number[], allowance: Allowance): Steps<number | undefined> {
  for (const pid of pids) {
    if (statusOf(pid)?.isInit) return pid;
    yield* allowance.turn();
  }
  return undefined;
}

/** One that a kill does not end: it waits where no signal reaches it. */
function holderOf(pid: number, reader: FileReader): Holder[] {
  const status = statusOf(pid);
  if (status?.state !== 'D') return [];
  const waitsIn = reader.read(`/proc/${pid}/wchan`);
  return [{ pid, program: status.comm, waitsIn: (waitsIn === waits ? '' : waitsIn?.trim()) ?? '' }];
}
