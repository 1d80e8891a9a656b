// A container that is killed and does not end, since processes of it wait in the kernel. Those that wait for a file
// system which one of them serves would do so for ever: their connections are ended. What else holds it is told.
import { Allowance } from '../host/allowance.ts';
import { findCgroups, groupsByName } from '../host/cgroups.ts';
import { abortConnection, connectionsOf, withControl } from '../host/fuse.ts';
import type { Libc } from '../host/libc.ts';
import { ProcessList } from '../host/process-list.ts';
import { isEnding, isInit, statOf } from '../host/processes.ts';
import { readText } from '../host/read-text.ts';
import type { Incus } from '../incus/client.ts';
import { sessionRecord } from '../session/record.ts';
import type { Log } from './log.ts';
import { inTurns } from './monitor/turns.ts';
import type { Holder, StuckReply } from './stuck-protocol.ts';

export interface StuckParts {
  readonly incus: Pick<Incus, 'instance' | 'instanceState'>;
  readonly libc: Pick<Libc, 'mountOf'>;
  readonly log: Log;
  readonly runDir: string;
  readonly signal: AbortSignal;
}

/** A force that has not ended a container by then waits for something. */
export const stuckMs = 5000;
const idsPerContainer = 65_536;
const holdersMax = 8;

export class Stuck {
  readonly #parts: StuckParts;

  constructor(parts: StuckParts) {
    this.#parts = parts;
  }

  /** For a container that was killed, or shut down. Nothing where it runs or is gone, or is another one than that. Throws IncusError. */
  async free(name: string, mountsId: string, owner?: number): Promise<StuckReply> {
    const { incus, libc, log, runDir, signal } = this.#parts;
    const nothing: StuckReply = { aborted: 0, holders: [] };
    const session = sessionRecord((await incus.instance(name, { signal }))?.instance.config ?? {});
    if (session?.mounts.runDir !== runDir || session.mounts.id !== mountsId) return nothing;
    if (owner !== undefined && owner !== 0 && owner !== session.owner) return nothing;
    const pids = await this.#processes(name);
    // As long as it lives, its file systems are its own affair.
    const init = pids.find(isInit);
    if (pids.length === 0 || (init !== undefined && !isEnding(init))) return nothing;
    const ids = { first: session.mounts.idmapBase, count: idsPerContainer };
    const aborted = await withControl(libc, async (control) => {
      const connections = await inTurns(connectionsOf(pids, ids, control, new Allowance()));
      return (connections ?? []).filter((connection) => abortConnection(control, connection));
    });
    const holders = pids.flatMap(holderOf).slice(0, holdersMax);
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

/** One that a kill does not end: it waits where no signal reaches it. */
function holderOf(pid: number): Holder[] {
  const stat = statOf(pid);
  if (stat?.state !== 'D') return [];
  const waitsIn = readText(`/proc/${pid}/wchan`)?.trim() ?? '';
  return [{ pid, program: stat.comm, waitsIn }];
}
