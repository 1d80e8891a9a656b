// Sessions that start with an expired access token would all renew it at once, and only one can. The others get the
// tool's own lock in their store, as if another program were renewing, and wait for the result.
import { dirname } from 'node:path';
import type { Directory, HostFiles, Owner } from '../host/fs/host-files.ts';
import { openCoiDirectory } from './coi-directory.ts';
import type { Login, LoginFile } from './formats/login.ts';
import { hashOf } from './login-status.ts';

/** From the first start until its renewal is in the other stores, on a busy host. */
const firstMs = 12_000;
/** Time for each further session, if the ones before did not renew. */
const nextMs = 4000;
/** After this time the turns start over. */
const resetMs = 60_000;
const turnsMax = 8;
const turnsPath = 'logins/turns';

export interface TurnRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly store: Directory;
  /** The session's logins. */
  readonly logins: readonly Login[];
  readonly owner: Owner;
  readonly nowMs: number;
}

/** Does nothing if no renewal is due, or for the first session that has to renew. */
export function takeTurn(turn: TurnRequest, files: HostFiles): void {
  try {
    reserveTurn(turn, files);
  } catch (error) {
    // Errors are ignored: a missing turn must not prevent a start.
    if (!files.asFileError(error)) throw error;
  }
}

function reserveTurn(
  { file, home, store, logins, owner, nowMs }: TurnRequest,
  files: HostFiles,
): void {
  const { lock } = file;
  if (!lock) return;
  const due = logins.find(
    ({ refresh, expiresMs }) => refresh !== '' && expiresMs - lock.earlyMs <= nowMs,
  );
  if (!due) return;
  using top = openCoiDirectory(home, owner, files);
  using turns = top?.makeDirectory(turnsPath, { owner });
  const untilMs = turns && turnStart(turns, hashOf(due), owner, nowMs);
  if (untilMs === undefined) return;
  using state = store.openDirectory(dirname(file.path));
  const own = state && { modifiedMs: untilMs - lock.staleMs, owner: ownerOf(state) };
  if (!own || state.createExclusive(lock.name, own)) return;
  // The lock may be left over from the last container.
  if (state.removeEmpty(lock.name)) state.createExclusive(lock.name, own);
}

/** When this start's turn comes; undefined for the first. Starts beyond the last turn share it. */
function turnStart(
  turns: Directory,
  hash: string,
  owner: Owner,
  nowMs: number,
): number | undefined {
  for (const { name } of [...turns.entries()]) {
    const madeMs = turns.entry(name)?.stat.mtimeMs ?? nowMs;
    if (madeMs + resetMs < nowMs) turns.removeEmpty(name);
  }
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const last = turn === turnsMax - 1;
    if (!turns.createExclusive(`${hash}.${turn}`, { owner }) && !last) continue;
    const firstAtMs = turns.entry(`${hash}.0`)?.stat.mtimeMs ?? nowMs;
    return turn === 0 ? undefined : firstAtMs + firstMs + (turn - 1) * nextMs;
  }
  return undefined;
}

function ownerOf(directory: Directory): Owner {
  const { uid, gid } = directory.stat();
  return { uid, gid };
}
