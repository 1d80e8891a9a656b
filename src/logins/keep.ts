// Keeps the logins of a user the same everywhere: reads what the host and the sessions have, lets decide.ts say which is
// everybody's, asks the provider whose a new one is, and writes. Runs as the user; nobody waits for it.
import type { Directory, HostFiles, Owner } from '../host/files.ts';
import {
  dropFromHost,
  giveToHost,
  giveToStore,
  hostLogins,
  memoryOf,
  remember,
  storeLogins,
} from './copies.ts';
import { type Answer, type Copy, type Decision, decide, host } from './decide.ts';
import type { Login, LoginFile, Logins, Question } from './login.ts';
import { type Known, memoryText, nothingKnown } from './memory.ts';
import { forSession } from './spread.ts';
import { hashOf, standing } from './standing.ts';

export interface KeepRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly owner: Owner;
  /** Sessions that run: they get what is everybody's. */
  readonly live: readonly string[];
  /** Sessions that have ended: what they had may be the newest. */
  readonly ended: readonly string[];
  /** Taken whatever is against it, because the user said so. */
  readonly wanted?: { readonly session: string; readonly id: string } | undefined;
}

export interface Keeping {
  readonly files: HostFiles;
  readonly ask: (question: Question) => Promise<Answer>;
  readonly now: () => Date;
  /** Runs it while no other keeper does; it waits for nothing. */
  readonly whileAlone: (effect: () => void) => Promise<void>;
  /** Waits a moment, until a program of the user has changed its file. */
  readonly pause: () => Promise<void>;
}

const roundsMax = 4;
const pausesMax = 60;

export type Kept = 'done' | 'later' | 'busy';

/** `later` if a provider could not be asked, `busy` if the tool on the host held its file all the time. Throws FileError where the user's own file cannot be used. */
export async function keepLogins(request: KeepRequest, keeping: Keeping): Promise<Kept> {
  const answers = new Map<string, Answer>();
  let pauses = 0;
  for (let round = 0; round < roundsMax; ) {
    const look: { open?: readonly Held[]; busy?: boolean; later?: boolean } = {};
    await keeping.whileAlone(() => Object.assign(look, once(request, keeping, answers)));
    if (look.busy) {
      pauses += 1;
      if (pauses > pausesMax) return 'busy';
      await keeping.pause();
      continue;
    }
    const open = look.open ?? [];
    if (open.length === 0) return look.later ? 'later' : 'done';
    round += 1;
    await Promise.all(
      open.map(async ({ holder, login }) => {
        const question = request.file.question(login);
        const answer = question ? await keeping.ask(question) : 'no-question';
        answers.set(answerKey(holder, login), answer);
      }),
    );
  }
  return 'done';
}

interface Held {
  readonly holder: string;
  readonly login: Login;
}

/** An answer is about one login, not about what its holder may have later. */
function answerKey(holder: string, login: Login): string {
  return `${holder} ${login.id} ${hashOf(login)}`;
}

function once(
  request: KeepRequest,
  { files, now }: Keeping,
  answers: ReadonlyMap<string, Answer>,
): { open: Held[]; busy: boolean; later: boolean } {
  const { file, home, owner, live, ended, wanted } = request;
  const nowMs = now().getTime();
  using stores = new Stores(request, files);
  const own = hostLogins(file, home, files);
  const found = new Map<string, Logins>(
    [...live, ...ended].flatMap((session) => {
      const store = stores.of(session);
      return store ? [[session, storeLogins(file, store, files)] as const] : [];
    }),
  );
  const memory = new Map(memoryOf(file, home, files));
  const ids = new Set(
    [own, ...found.values()].flatMap(({ logins, blank }) => [...logins.keys(), ...blank]),
  );
  const open: Held[] = [];
  let later = false;
  const gifts = new Map<string, Login[]>();
  const swapped: string[] = [];
  for (const id of ids) {
    const copies = [
      copyOf(host, own, id),
      ...[...found].map(([session, has]) => copyOf(session, has, id)),
    ];
    const known = memory.get(id) ?? nothingKnown;
    const decision =
      wanted?.id === id
        ? takes(copies, wanted.session, known)
        : decide({
            copies,
            hostAccount: own.account,
            known,
            answers: new Map(
              copies.flatMap(({ holder, login }) => {
                const answer = login && answers.get(answerKey(holder, login));
                return answer ? [[holder, answer] as const] : [];
              }),
            ),
            nowMs,
            lifeMaxMs: file.lifeMaxMs,
          });
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
      decision.winner && (wanted?.id === id ? decision.winner : named(decision.winner, own));
    if (winner)
      for (const holder of [...give, ...unspread(copies, winner, file, nowMs)])
        gifts.set(holder, [...(gifts.get(holder) ?? []), winner]);
  }
  const forHost = (gifts.get(host) ?? []).map((login) =>
    wanted?.id === login.id ? login : { ...login, profile: undefined },
  );
  if (forHost.length > 0 && !giveToHost(file, home, forHost, { owner, nowMs, files }))
    return { open: [], busy: true, later };
  for (const id of swapped) dropFromHost(file, home, id, { owner, files });
  // Remembered before it is given away: what a session shows later is then known for what it is.
  if (memoryText(memory) !== memoryText(memoryOf(file, home, files)))
    remember(file, home, memory, { owner, files });
  for (const session of live) {
    const store = stores.of(session);
    const gift = (gifts.get(session) ?? []).map((login) => forSession(file, login, session, nowMs));
    if (!store || gift.length === 0) continue;
    try {
      giveToStore(file, store, gift, files);
    } catch (error) {
      // Of the session's own making; the others get theirs.
      if (!files.problem(error)) throw error;
    }
  }
  return { open, busy: false, later };
}

/** Whose it is was checked against the user's account, so it counts no more what a session's files say. */
function named(login: Login, { account, profile }: Logins): Login {
  return { ...login, account: account ?? login.account, profile };
}

function copyOf(holder: string, has: Logins, id: string): Copy {
  return { holder, login: has.logins.get(id), blank: has.blank.has(id) };
}

/** Sessions that renewed it themselves, and so have its true end. */
function unspread(
  copies: readonly Copy[],
  winner: Login,
  file: LoginFile,
  nowMs: number,
): string[] {
  return copies.flatMap(({ holder, login }) => {
    if (holder === host || !login || hashOf(login) !== hashOf(winner)) return [];
    const spread = forSession(file, winner, holder, nowMs);
    return login.expiresMs === winner.expiresMs && spread.expiresMs !== login.expiresMs
      ? [holder]
      : [];
  });
}

/** The user's word stands against everything: that one is everybody's now. */
function takes(copies: readonly Copy[], session: string, known: Known): Decision {
  const winner = copies.find(({ holder }) => holder === session)?.login;
  const none = {
    ask: [],
    winner: undefined,
    from: undefined,
    give: [],
    swapped: false,
    later: false,
    known,
  };
  if (!winner) return none;
  // What another session has of its own stays its own.
  const all = copies
    .filter(({ holder, login }) => holder === host || !login || standing(login, known) !== 'new')
    .map(({ holder }) => holder);
  return {
    ...none,
    winner,
    from: session,
    give: all.filter((holder) => holder !== session),
    known: taken(known, winner, session, [...all, session]),
  };
}

function taken(known: Known, winner: Login, session: string, holders: readonly string[]): Known {
  const decision = decide({
    copies: [{ holder: host, login: winner, blank: false }],
    hostAccount: undefined,
    known: { ...known, from: undefined, current: undefined },
    answers: new Map([[host, 'unreachable' as const]]),
    nowMs: 0,
    lifeMaxMs: 0,
  });
  const verdicts = known.verdicts.filter(
    (one) => !holders.includes(one.session) && one.hash !== hashOf(winner),
  );
  return { ...decision.known, from: session, verdicts };
}

/** The opened stores of sessions, each once. */
class Stores implements Disposable {
  readonly #request: KeepRequest;
  readonly #files: HostFiles;
  readonly #opened = new Map<string, Directory | undefined>();

  constructor(request: KeepRequest, files: HostFiles) {
    this.#request = request;
    this.#files = files;
  }

  of(session: string): Directory | undefined {
    if (!this.#opened.has(session)) this.#opened.set(session, this.#open(session));
    return this.#opened.get(session);
  }

  [Symbol.dispose](): void {
    for (const directory of this.#opened.values()) directory?.[Symbol.dispose]();
  }

  #open(session: string): Directory | undefined {
    const { home, file } = this.#request;
    try {
      using top = this.#files.open(`${home}/.coi/sessions-${file.tool}`);
      return top?.directory(session);
    } catch (error) {
      if (!this.#files.problem(error)) throw error;
      return undefined;
    }
  }
}
