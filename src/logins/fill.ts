// What a start does: the session's store gets the user's login, unless what it has is newer or the session's own affair.
// Nobody is asked here; what is not clear is left for the keeper (keep.ts), which looks as soon as the session runs.
import type { Directory, HostFiles, Owner } from '../host/fs/host-files.ts';
import { loadMemory, readHostLogins, readStoreLogins, writeToStore } from './copies.ts';
import { type Login, type LoginFile, sameAccount } from './formats/login.ts';
import { earlierVerdict } from './judge.ts';
import { hashOf, knownInSessions, loginStatus } from './login-status.ts';
import { type KnownTokens, type LoginMemory, nothingKnown } from './memory.ts';
import { takeTurn } from './renewal-turn.ts';
import { staggerExpiry } from './stagger.ts';

export interface FillRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly session: string;
  readonly store: Directory;
  /** The store was copied from another session: what it has is that one's. */
  readonly copied: boolean;
  /** Of what coi keeps for itself. */
  readonly owner: Owner;
  readonly nowMs: number;
}

export interface FillResult {
  /** The session has a login now. */
  readonly has: boolean;
  readonly memory: LoginMemory;
  /** Why the user's login cannot be used. */
  readonly warnings: readonly string[];
}

export function fillLogins(request: FillRequest, files: HostFiles): FillResult {
  const { file, home, session, store, copied, owner, nowMs } = request;
  const warnings: string[] = [];
  const own = readHostLogins(file, home, files, (message) =>
    warnings.push(`your login is not used: ${message}`),
  );
  const has = readStoreLogins(file, store, files);
  const memory = loadMemory(file, home, files);
  // Two that have one refresh token cost each other their login.
  const dropped = copied ? [...has.logins.values()].filter(({ refresh }) => refresh !== '') : [];
  const gone = new Set(dropped.map(({ id }) => id));
  const given = [...own.logins.values()].filter((login) => {
    const before = has.logins.get(login.id);
    const known = memory.get(login.id) ?? nothingKnown;
    return !before || gone.has(login.id) || shouldReplace(before, login, known, { session, nowMs });
  });
  const changed = given.map((login) => staggerExpiry(file, login, session, nowMs));
  if (changed.length > 0 || dropped.length > 0) writeToStore(file, store, changed, files, gone);
  const lasting = [...has.logins.values()].filter(({ id }) => !gone.has(id));
  const logins = [...new Map([...lasting, ...changed].map((login) => [login.id, login])).values()];
  takeTurn({ file, home, store, logins, owner, nowMs }, files);
  return { has: changed.length > 0 || has.logins.size > gone.size, memory, warnings };
}

/** Whether the user's login goes in the place of the one that the session has. Pure. */
export function shouldReplace(
  before: Login,
  login: Login,
  known: KnownTokens,
  { session, nowMs }: { session: string; nowMs: number },
): boolean {
  if (hashOf(before) === hashOf(login)) return false;
  const seen = knownInSessions(known, login);
  switch (loginStatus(before, seen)) {
    case 'current':
      // The user's is one that everybody had before, as from a backup.
      return loginStatus(login, known) !== 'old';
    case 'old':
    case 'mixed':
      return true;
    case 'new': {
      const judged = earlierVerdict(session, before, known);
      if (before.refresh === '' || (judged && judged.reason !== 'refused')) return false;
      const foreign = before.account !== undefined && !sameAccount(before.account, login.account);
      // One that has not ended is lost for good where nobody has asked the provider about it: the keeper does.
      return (
        !foreign &&
        before.expiresMs !== 0 &&
        before.expiresMs <= nowMs &&
        before.expiresMs <= login.expiresMs
      );
    }
  }
}
