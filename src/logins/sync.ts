// Keeps the logins of a user the same everywhere: reads what the host and the sessions have, lets decide.ts say which is
// everybody's, asks the provider whose a new one is, and writes. Runs as the user; nobody waits for it.
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
import { type Answer, type Copy, decide, host } from './decide.ts';
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
  /** Sessions that run: they get what is everybody's. */
  readonly live: readonly string[];
  /** Sessions that have ended: what they had may be the newest. */
  readonly ended: readonly string[];
  /** Taken whatever is against it, because the user said so. */
  readonly confirmed?: ConfirmedLogin | undefined;
}

export interface SyncDependencies {
  readonly files: HostFiles;
  readonly ask: (question: Question) => Promise<Answer>;
  readonly now: () => Date;
  /** Runs it while no other keeper does; it waits for nothing. */
  readonly exclusively: (effect: () => void) => Promise<void>;
  /** Waits a moment, until a program of the user has changed its file. */
  readonly pause: () => Promise<void>;
}

const roundsMax = 4;
const pausesMax = 60;

/**
 * - `later`: a provider could not be asked, or a file not be written.
 * - `busy`: the tool on the host held its file all the time.
 * - `broken`: what is wanted was not taken, since the user's file is no JSON.
 * - `changed`: it was not taken, since the session has another by now.
 */
export type SyncResult = 'done' | 'later' | 'busy' | 'broken' | 'changed';

/** Throws FileError where what is wanted cannot be written, or nothing be remembered. */
export async function runLoginSync(
  request: SyncRequest,
  keeping: SyncDependencies,
): Promise<SyncResult> {
  const answers = new Map<string, Answer>();
  let pauses = 0;
  for (let round = 0; ; ) {
    // A session that has a new one at each look holds up nobody: what is open then waits for another time.
    const isLast = round === roundsMax;
    let look: SyncPass | undefined;
    await keeping.exclusively(() => {
      look = runPass(request, keeping, answers, isLast);
    });
    const { open = [], end = 'done' } = (look ?? {}) as Partial<SyncPass>;
    if (end === 'busy') {
      pauses += 1;
      if (pauses > pausesMax) return 'busy';
      await keeping.pause();
      continue;
    }
    if (open.length === 0 || isLast) return end;
    round += 1;
    await Promise.all(
      open.map(async ({ holder, login }) => {
        const question = request.file.question(login);
        const answer = question ? await keeping.ask(question) : 'no-question';
        answers.set(answerKey(holder, login), answer);
      }),
    );
  }
}

interface SyncPass {
  /** To be asked about before anything is done. */
  readonly open: readonly Held[];
  readonly end: SyncResult;
}

interface Held {
  readonly holder: string;
  readonly login: Login;
}

/** An answer is about one login, not about what its holder may have later. */
function answerKey(holder: string, login: Login): string {
  return `${holder} ${login.id} ${hashOf(login)}`;
}

function runPass(
  request: SyncRequest,
  { files, now }: SyncDependencies,
  answers: ReadonlyMap<string, Answer>,
  isLast: boolean,
): SyncPass {
  const { file, home, owner, live, ended, confirmed: wanted } = request;
  const nowMs = now().getTime();
  using stores = new SessionStores(request, files);
  // What may still be written is looked at again, as after a failure.
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
  const isConfirmedId = (id: string) => wanted?.login.id === id;
  if (wanted) {
    const { session, login } = wanted;
    const has = (session === host ? own : found.get(session))?.logins.get(login.id);
    if (!has || !isConfirmed(has, wanted.login)) return { open: [], end: 'changed' };
  }
  const open: Held[] = [];
  const gifts = new Map<string, Login[]>();
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
      ? decideTake(copies, wanted as ConfirmedLogin, known)
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
    const { give } = decision;
    const winner =
      decision.winner &&
      (isConfirmedId(id) ? decision.winner : withHostAccount(decision.winner, own));
    if (winner)
      for (const holder of [...give, ...unstaggered(copies, winner, file, nowMs)])
        gifts.set(holder, [...(gifts.get(holder) ?? []), winner]);
  }
  const forHost = (gifts.get(host) ?? []).map((login) =>
    isConfirmedId(login.id) ? login : { ...login, profile: undefined },
  );
  const change = { owner, nowMs, files, seen: own };
  const onHost = (effect: () => WriteResult): WriteResult | 'failed' => {
    try {
      return effect();
    } catch (error) {
      // Mounted, read-only, of another user: the sessions get theirs, and it is tried again.
      if (wanted || !files.asFileError(error)) throw error;
      later = true;
      return 'failed';
    }
  };
  const given =
    forHost.length > 0 ? onHost(() => writeToHost(file, home, forHost, change)) : 'done';
  if (given === 'busy') return { open: [], end: 'busy' };
  if (wanted && given === 'broken') return { open: [], end: 'broken' };
  for (const id of swapped)
    if (onHost(() => removeFromHost(file, home, id, change)) === 'busy')
      return { open: [], end: 'busy' };
  // Remembered before it is given away: what a session shows later is then known for what it is.
  if (memoryText(memory) !== memoryText(loadMemory(file, home, files)))
    saveMemory(file, home, memory, { owner, files });
  for (const session of live) {
    const store = stores.of(session);
    const gift = (gifts.get(session) ?? []).map((login) =>
      staggerExpiry(file, login, session, nowMs),
    );
    if (!store || gift.length === 0) continue;
    try {
      writeToStore(file, store, gift, files);
    } catch {
      // Of the session's own making, whatever it is: the others get theirs.
    }
  }
  return { open, end: later ? 'later' : 'done' };
}

/** Whose it is was checked against the user's account, so it counts no more what a session's files say. */
function withHostAccount(login: Login, { account, profile }: Logins): Login {
  return { ...login, account: account ?? login.account, profile };
}

function copyOf(holder: string, has: Logins, id: string): Copy {
  return { holder, login: has.logins.get(id), blank: has.blank.has(id) };
}

/** Sessions that renewed it themselves, and so have its true end. */
function unstaggered(
  copies: readonly Copy[],
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
