// Login step of a start: writes the user's login to the session's store, unless the session's is newer or its own.
// Does not ask providers; unclear cases are left to the login sync (sync.ts), which runs as soon as the session does.
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
  /** The store was copied from another session, and its logins with it. */
  readonly copied: boolean;
  /** Owner of coi's own files. */
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
  // Two sessions with the same refresh token invalidate each other's login.
  const dropped = copied ? [...has.logins.values()].filter(({ refresh }) => refresh !== '') : [];
  const droppedIds = new Set(dropped.map(({ id }) => id));
  const newLogins = [...own.logins.values()].filter((login) => {
    const before = has.logins.get(login.id);
    const known = memory.get(login.id) ?? nothingKnown;
    return (
      !before || droppedIds.has(login.id) || shouldReplace(before, login, known, { session, nowMs })
    );
  });
  const changed = newLogins.map((login) => staggerExpiry(file, login, session, nowMs));
  if (changed.length > 0 || dropped.length > 0)
    writeToStore(file, store, changed, files, droppedIds);
  const remaining = [...has.logins.values()].filter(({ id }) => !droppedIds.has(id));
  const logins = [
    ...new Map([...remaining, ...changed].map((login) => [login.id, login])).values(),
  ];
  takeTurn({ file, home, store, logins, owner, nowMs }, files);
  return { has: changed.length > 0 || has.logins.size > droppedIds.size, memory, warnings };
}

/** Whether the user's login replaces the session's. Pure. */
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
      // An old login of the user was shared before, for example one from a backup.
      return loginStatus(login, known) !== 'old';
    case 'old':
    case 'mixed':
      return true;
    case 'new': {
      const judged = earlierVerdict(session, before, known);
      if (before.refresh === '' || (judged && judged.reason !== 'refused')) return false;
      const foreign = before.account !== undefined && !sameAccount(before.account, login.account);
      // Replacing a login that has not expired would lose it; the login sync asks the provider first.
      return (
        !foreign &&
        before.expiresMs !== 0 &&
        before.expiresMs <= nowMs &&
        before.expiresMs <= login.expiresMs
      );
    }
  }
}
