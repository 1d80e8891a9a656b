// What the conversations of one opencode process do, from its events. Loaded by opencode-status.js, inside the container.
import { createHash } from 'node:crypto';

const receivedMax = 8;
/** More than are told: some are not taken yet. */
const messagesMax = 4 * receivedMax;

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

const permissionOptions = [
  ['once', 'Allow once'],
  ['always', 'Allow always'],
  ['reject', 'Reject'],
];

/** What a permission is for: its fields differ from tool to tool. */
function permissionBody({ metadata = {}, patterns = [] }) {
  const { command, filepath, diff, url, description } = metadata;
  const known = [command ?? filepath ?? url ?? description, diff].filter(
    (text) => typeof text === 'string' && text !== '',
  );
  return (known.length > 0 ? known : patterns).join('\n');
}

function asksOfPermission(request) {
  const note = (request.always ?? []).join(', ');
  return [
    {
      id: request.id,
      kind: 'permission',
      title: request.permission,
      // The command is asked for separately; here it is about a directory.
      body:
        request.permission === 'external_directory'
          ? (request.patterns ?? []).join('\n')
          : permissionBody(request),
      options: permissionOptions.map(([id, label]) => ({
        id,
        label,
        note: id === 'always' ? note : '',
      })),
    },
  ];
}

/** One for each question of a request; opencode shows them one after the other. */
function asksOfQuestion({ id, questions = [] }) {
  return questions.map(({ question, header, options = [], multiple }, index) => ({
    id: index === 0 ? id : `${id}:${index + 1}`,
    kind: 'question',
    title: question,
    body: header ?? '',
    multiple: multiple === true,
    options: options.map(({ label, description }, option) => ({
      id: String(option + 1),
      label,
      note: description ?? '',
    })),
  }));
}

/** Follows the events of all conversations of this process. */
export class Conversations {
  /** Parents of sub-agents' sessions; undefined for a conversation of the user. */
  #parents = new Map();
  #busy = new Set();
  /** Requests that wait for an answer, oldest first. */
  #requests = new Map();
  /** The user's messages with their parts' texts, oldest first, and whether the turn that they begin has begun. */
  #messages = new Map();
  /** What is known about the running turn of a conversation: its last message, its last words and how it ends. */
  #turns = new Map();
  /** How the last turn of each conversation ended, the newest last. */
  #ended = new Map();
  /** The conversation that was last at work. */
  current;
  /** opencode's own record of a session, for those that began earlier. */
  #sessionOf;

  constructor(sessionOf) {
    this.#sessionOf = sessionOf;
  }

  rootOf(session) {
    let root = session;
    // No deeper than sub-agents start sub-agents; a limit, in case of a circle.
    for (let depth = 0; depth < 16; depth += 1) {
      const parent = this.#parents.get(root) ?? this.#sessionOf(root)?.parentID;
      if (parent === undefined) break;
      root = parent;
    }
    return root;
  }

  get isBusy() {
    return this.#busy.size > 0;
  }

  get asks() {
    return [...this.#requests.values()].flatMap(({ session, asks }) =>
      this.rootOf(session) === session ? asks : asks.map((ask) => ({ ...ask, subAgent: true })),
    );
  }

  /** What an open request asks; undefined if it is not open. */
  request(id) {
    return this.#requests.get(id)?.asks;
  }

  /** A message is told together with its turn: otherwise the end of the turn before could be taken for its end. */
  get received() {
    return [...this.#messages]
      .filter(([, { isTaken, parts }]) => isTaken && parts.size > 0)
      .slice(-receivedMax)
      .map(([id, { parts }]) => ({ id, sha256: sha256([...parts.values()].join('')) }));
  }

  /** How the last turn of that conversation ended, or else of any. */
  endOf(conversation) {
    return this.#ended.get(conversation) ?? [...this.#ended.values()].at(-1);
  }

  #end(root, end) {
    this.#ended.delete(root);
    this.#ended.set(root, end);
    this.#take(root);
  }

  #take(session) {
    for (const message of this.#messages.values())
      if (message.session === session) message.isTaken = true;
  }

  #turn(root) {
    const turn = this.#turns.get(root) ?? { said: '', end: 'finished' };
    this.#turns.set(root, turn);
    return turn;
  }

  known({ id, parentID }) {
    this.#parents.set(id, parentID);
  }

  status(session, { type }) {
    const root = this.rootOf(session);
    if (type !== 'idle') {
      this.#busy.add(session);
      this.current = root;
      this.#turn(root);
      this.#take(session);
      return;
    }
    // An interrupted turn withdraws its requests without an event.
    this.withdraw((request) => request.session === session);
    if (!this.#busy.delete(session) || root !== session) return;
    const { said, end } = this.#turn(root);
    this.#turns.delete(root);
    this.#end(root, { end, said });
  }

  failed(session, { name } = {}) {
    const root = this.rootOf(session);
    // What fails in a sub-agent is told to the agent, which goes on.
    if (root !== session) return;
    const end = name === 'MessageAbortedError' ? 'interrupted' : 'failed';
    if (this.#busy.has(root)) this.#turn(root).end = end;
    // A turn that could not even begin, for example without a model.
    else if (end === 'failed') this.#end(root, { end, said: '' });
  }

  asked(session, id, asks) {
    this.#requests.set(id, { session, asks });
  }

  /** A rejection ends the turn, unless the agent goes on with another message. */
  replied(session, id, isRejected) {
    this.#requests.delete(id);
    if (isRejected) this.#turn(this.rootOf(session)).end = 'interrupted';
  }

  message({ id, role, sessionID }) {
    if (this.rootOf(sessionID) !== sessionID) return;
    if (role === 'user') {
      // Told again when its summary changes.
      if ([...this.#messages.keys()].some((other) => other >= id)) return;
      const isTaken = this.#busy.has(sessionID);
      this.#messages.set(id, { session: sessionID, isTaken, parts: new Map() });
      const [oldest] = this.#messages.keys();
      if (this.#messages.size > messagesMax) this.#messages.delete(oldest);
    } else if (this.#busy.has(sessionID)) {
      const turn = this.#turn(sessionID);
      if (turn.message !== undefined && turn.message < id) turn.end = 'finished';
      if (turn.message === undefined || turn.message < id) turn.message = id;
    }
  }

  part({ id, type, text, messageID, sessionID, synthetic, ignored }) {
    if (type !== 'text' || synthetic || ignored) return;
    this.#messages.get(messageID)?.parts.set(id, text);
    const turn = this.#turns.get(sessionID);
    if (turn?.message === messageID && text !== '') turn.said = text;
  }

  withdraw(isGone) {
    for (const [id, request] of this.#requests) if (isGone(request)) this.#requests.delete(id);
  }

  /** The server of this process starts anew. */
  forget() {
    this.#busy.clear();
    this.#requests.clear();
    this.#turns.clear();
  }
}

/** Subscribes to the events with `on`. */
export function follow(on, told) {
  on('session.created', ({ info }) => told.known(info));
  on('session.status', ({ sessionID, status }) => told.status(sessionID, status));
  on('session.deleted', ({ info }) => told.status(info.id, { type: 'idle' }));
  on('session.error', ({ sessionID, error }) => sessionID && told.failed(sessionID, error));
  on('permission.asked', (asked) => told.asked(asked.sessionID, asked.id, asksOfPermission(asked)));
  on('permission.replied', ({ sessionID, requestID, reply }) =>
    told.replied(sessionID, requestID, reply === 'reject'),
  );
  on('question.asked', (asked) => told.asked(asked.sessionID, asked.id, asksOfQuestion(asked)));
  on('question.replied', ({ sessionID, requestID }) => told.replied(sessionID, requestID, false));
  on('question.rejected', ({ sessionID, requestID }) => told.replied(sessionID, requestID, true));
  on('message.updated', ({ info }) => told.message(info));
  on('message.part.updated', ({ part }) => told.part(part));
  on('server.instance.disposed', () => told.forget());
}
