// The login sync: reads the logins of the host and all sessions, asks the provider for the account of a new one, and
// distributes the one that decide.ts selects. Runs as the user, in the background.
import type { HostFiles, Owner } from '../host/fs/host-files.ts';
import {
  loadMemory,
  readHostLogins,
  readStoreLogins,
  removeFromHost,
  saveMemory,
  type WriteResult,
  writeToHost,
  writeToStore,
} from './copies.ts';
import { type Answer, decide, host, type LoginCopy } from './decide.ts';
import type { Login, LoginFile, Logins, Question } from './formats/login.ts';
import { removeLeftovers } from './leftovers.ts';
import { hashOf } from './login-status.ts';
import { memoryText, nothingKnown } from './memory.ts';
import { SessionStores } from './session-stores.ts';
import { staggerExpiry } from './stagger.ts';
import { type ConfirmedLogin, decideTake, isConfirmed } from './take.ts';

export interface SyncRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly owner: Owner;
  /** Running sessions: they get the shared login. */
  readonly live: readonly string[];
  /** Ended sessions: theirs may be the newest. */
  readonly ended: readonly string[];
  /** Confirmed by the user, so it is used despite any verdict. */
  readonly confirmed?: ConfirmedLogin | undefined;
}

export interface SyncDependencies {
  readonly files: HostFiles;
  readonly ask: (question: Question) => Promise<Answer>;
  readonly now: () => Date;
  /** Runs the effect, which is synchronous, while no other login sync runs. */
  readonly exclusively: (effect: () => void) => Promise<void>;
  /** Waits a moment for a program of the user to finish changing its file. */
  readonly pause: () => Promise<void>;
}

const roundsMax = 4;
const pausesMax = 60;

/**
 * - `later`: a provider could not be asked, or a file could not be written.
 * - `busy`: the tool on the host kept its file locked.
 * - `broken`: the confirmed login was not used, because the user's file is not valid JSON.
 * - `changed`: the confirmed login was not used, because the session has another one by now.
 */
export type SyncResult = 'done' | 'later' | 'busy' | 'broken' | 'changed';

/** Throws FileError if the confirmed login or the memory cannot be written. */
export async function runLoginSync(
  request: SyncRequest,
  dependencies: SyncDependencies,
): Promise<SyncResult> {
  const answers = new Map<string, Answer>();
  let pauses = 0;
  for (let round = 0; ; ) {
    // A session with a new login in every pass must not delay the others: the last pass leaves it for later.
    const isLast = round === roundsMax;
    let pass: SyncPass | undefined;
    await dependencies.exclusively(() => {
      pass = runPass(request, dependencies, answers, isLast);
    });
    const { open = [], end = 'done' } = (pass ?? {}) as Partial<SyncPass>;
    if (end === 'busy') {
      pauses += 1;
      if (pauses > pausesMax) return 'busy';
      await dependencies.pause();
      continue;
    }
    if (open.length === 0 || isLast) return end;
    round += 1;
    await Promise.all(
      open.map(async ({ holder, login }) => {
        const question = request.file.question(login);
        const answer = question ? await dependencies.ask(question) : 'no-question';
        answers.set(answerKey(holder, login), answer);
      }),
    );
  }
}

interface SyncPass {
  /** Logins to ask the provider about before anything is done. */
  readonly open: readonly HeldLogin[];
  readonly end: SyncResult;
}

interface HeldLogin {
  readonly holder: string;
  readonly login: Login;
}

/** An answer belongs to a login, not to its holder, who may have another one later. */
function answerKey(holder: string, login: Login): string {
  return `${holder} ${login.id} ${hashOf(login)}`;
}

function runPass(
  request: SyncRequest,
  { files, now }: SyncDependencies,
  answers: ReadonlyMap<string, Answer>,
  isLast: boolean,
): SyncPass {
  const { file, home, owner, live, ended, confirmed } = request;
  const nowMs = now().getTime();
  using stores = new SessionStores(request, files);
  // Files that may still be in use are checked again later, as after a failure.
  let later = removeLeftovers(request, stores, { files, nowMs });
  const own = readHostLogins(file, home, files);
  const found = new Map<string, Logins>(
    [...live, ...ended].flatMap((session) => {
      const store = stores.of(session);
      return store ? [[session, readStoreLogins(file, store, files)] as const] : [];
    }),
  );
  const memory = new Map(loadMemory(file, home, files));
  const ids = new Set(
    [own, ...found.values()].flatMap(({ logins, blank }) => [...logins.keys(), ...blank]),
  );
  const isConfirmedId = (id: string) => confirmed?.login.id === id;
  if (confirmed) {
    const { session, login } = confirmed;
    const has = (session === host ? own : found.get(session))?.logins.get(login.id);
    if (!has || !isConfirmed(has, confirmed.login)) return { open: [], end: 'changed' };
  }
  const open: HeldLogin[] = [];
  const loginsByHolder = new Map<string, Login[]>();
  const swapped: string[] = [];
  for (const id of ids) {
    const copies = [
      copyOf(host, own, id),
      ...[...found].map(([session, has]) => copyOf(session, has, id)),
    ];
    const known = memory.get(id) ?? nothingKnown;
    const decided = (missing?: Answer) =>
      decide({
        copies,
        hostAccount: own.account,
        known,
        answers: new Map(
          copies.flatMap(({ holder, login }) => {
            const answer = login && (answers.get(answerKey(holder, login)) ?? missing);
            return answer ? [[holder, answer] as const] : [];
          }),
        ),
        nowMs,
        lifeMaxMs: file.lifeMaxMs,
      });
    const first = isConfirmedId(id)
      ? decideTake(copies, confirmed as ConfirmedLogin, known)
      : decided();
    const decision = isLast && first.ask.length > 0 ? decided('later') : first;
    for (const holder of decision.ask) {
      const login = copies.find((copy) => copy.holder === holder)?.login;
      if (login) open.push({ holder, login });
    }
    if (decision.ask.length > 0) continue;
    memory.set(id, decision.known);
    later ||= decision.later;
    if (decision.swapped) swapped.push(id);
    const { recipients } = decision;
    const winner =
      decision.winner &&
      (isConfirmedId(id) ? decision.winner : withHostAccount(decision.winner, own));
    if (winner)
      for (const holder of [...recipients, ...unstaggered(copies, winner, file, nowMs)])
        loginsByHolder.set(holder, [...(loginsByHolder.get(holder) ?? []), winner]);
  }
  const forHost = (loginsByHolder.get(host) ?? []).map((login) =>
    isConfirmedId(login.id) ? login : { ...login, profile: undefined },
  );
  const change = { owner, nowMs, files, seen: own };
  const onHost = (effect: () => WriteResult): WriteResult | 'failed' => {
    try {
      return effect();
    } catch (error) {
      // A mount, read-only or another user's: the sessions still get theirs, and the host is retried.
      if (confirmed || !files.asFileError(error)) throw error;
      later = true;
      return 'failed';
    }
  };
  const given =
    forHost.length > 0 ? onHost(() => writeToHost(file, home, forHost, change)) : 'done';
  if (given === 'busy') return { open: [], end: 'busy' };
  if (confirmed && given === 'broken') return { open: [], end: 'broken' };
  for (const id of swapped)
    if (onHost(() => removeFromHost(file, home, id, change)) === 'busy')
      return { open: [], end: 'busy' };
  // Saved before the login is distributed, so that it is recognized when a session presents it.
  if (memoryText(memory) !== memoryText(loadMemory(file, home, files)))
    saveMemory(file, home, memory, { owner, files });
  for (const session of live) {
    const store = stores.of(session);
    const assigned = (loginsByHolder.get(session) ?? []).map((login) =>
      staggerExpiry(file, login, session, nowMs),
    );
    if (!store || assigned.length === 0) continue;
    try {
      writeToStore(file, store, assigned, files);
    } catch {
      // Caused by the session itself: the others still get theirs.
    }
  }
  return { open, end: later ? 'later' : 'done' };
}

/** The account was checked against the user's, so the host's files name it, not the session's. */
function withHostAccount(login: Login, { account, profile }: Logins): Login {
  return { ...login, account: account ?? login.account, profile };
}

function copyOf(holder: string, has: Logins, id: string): LoginCopy {
  return { holder, login: has.logins.get(id), blank: has.blank.has(id) };
}

/** Sessions that renewed the login themselves and so have its real expiry. */
function unstaggered(
  copies: readonly LoginCopy[],
  winner: Login,
  file: LoginFile,
  nowMs: number,
): string[] {
  return copies.flatMap(({ holder, login }) => {
    if (holder === host || !login || hashOf(login) !== hashOf(winner)) return [];
    const spread = staggerExpiry(file, winner, holder, nowMs);
    return login.expiresMs === winner.expiresMs && spread.expiresMs !== login.expiresMs
      ? [holder]
      : [];
  });
}
