// Sessions that start with a login whose access token has ended all renew it at once, and only one of them can: the
// others find the tool's own lock in their store, as if another program were renewing, and wait for what that brings.
import { dirname } from 'node:path';
import type { Directory, HostFiles, Owner } from '../host/fs/host-files.ts';
import { openCoiDirectory } from './coi-directory.ts';
import type { Login, LoginFile } from './formats/login.ts';
import { hashOf } from './login-status.ts';

/** From a start until its renewal is in the other stores, on a busy host. */
const firstMs = 12_000;
/** Where the one before did not renew, the next has that long. */
const nextMs = 4000;
/** Then it is another time. */
const forgottenMs = 60_000;
const turnsMax = 8;
const place = 'logins/turns';

export interface TurnRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly store: Directory;
  /** What the session has. */
  readonly logins: readonly Login[];
  readonly owner: Owner;
  readonly nowMs: number;
}

/** Does nothing where nothing has to be renewed soon, nor for the first who has to. */
export function takeTurn(turn: TurnRequest, files: HostFiles): void {
  try {
    reserveTurn(turn, files);
  } catch (error) {
    // A start is worth more than its turn.
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
  using turns = top?.makeDirectory(place, { owner });
  const untilMs = turns && turnStart(turns, hashOf(due), owner, nowMs);
  if (untilMs === undefined) return;
  using state = store.openDirectory(dirname(file.path));
  const own = state && { modifiedMs: untilMs - lock.staleMs, owner: ownerOf(state) };
  if (!own || state.createExclusive(lock.name, own)) return;
  // Left by the last container.
  if (state.removeEmpty(lock.name)) state.createExclusive(lock.name, own);
}

/** When the turn of this start comes; undefined for the first. Those after the last share its turn. */
function turnStart(
  turns: Directory,
  hash: string,
  owner: Owner,
  nowMs: number,
): number | undefined {
  for (const { name } of [...turns.entries()]) {
    const madeMs = turns.entry(name)?.stat.mtimeMs ?? nowMs;
    if (madeMs + forgottenMs < nowMs) turns.removeEmpty(name);
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
