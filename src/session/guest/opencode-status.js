// A plugin for the screen of opencode: writes what this process does, asks and has received to a status file, which coi
// reads on the host (src/attention). It runs in the container, inside opencode: it must never throw into it or delay it.
// A plugin for the server would get the same events, but opencode lets its first screen wait for an npm install if there
// is one, which takes minutes where the registry cannot be reached (seen in 1.18).
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AnswerFile } from './opencode-answers.js';
import { Conversations, follow } from './opencode-conversations.js';

const directory = join(homedir(), '.local/share/opencode/coi-status');
const file = join(directory, `${process.pid}.json`);
const temporary = join(directory, `.${process.pid}.tmp`);
/** For what has no event: the conversation on the screen and dialogs. Also repeats a write that failed. */
const lookMs = 1000;
/** How often it looks for an answer while it asks. */
const answerMs = 200;
const fileMaxBytes = 64 * 1024;
const saidMaxBytes = 2048;
const asksMax = 8;
const optionsMax = 16;
/** Characters of each text of an ask; the first with which the file is small enough. */
const textLimits = [4096, 1024, 256, 64, 16];

/** Field 22 of proc(5): when the process started, since its pid can be in use again. */
function startTime() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function cutBytes(text, maxBytes) {
  const bytes = Buffer.from(text);
  // A character that was cut in two becomes U+FFFD.
  return bytes.length <= maxBytes
    ? text
    : bytes
        .subarray(0, maxBytes)
        .toString()
        .replace(/\uFFFD$/, '');
}

const openDialog = {
  id: 'dialog',
  kind: 'dialog',
  title: 'opencode shows a dialog',
  body: '',
  options: [],
};

class StatusFile {
  #written = '';
  #status;
  #since = Date.now();
  #start = startTime();

  /** Writes what has changed. */
  write(told, conversation, isDialogOpen) {
    const asks = [...told.asks, ...(isDialogOpen ? [openDialog] : [])].slice(0, asksMax);
    const status = asks.length > 0 ? 'waiting' : told.isBusy ? 'busy' : 'idle';
    if (status !== this.#status) this.#since = Date.now();
    this.#status = status;
    const { end, said = '' } = told.endOf(conversation) ?? {};
    const text = this.#text(asks, (limited) => ({
      v: 1,
      pid: process.pid,
      // A program may change its name.
      comm: readFileSync('/proc/self/comm', 'utf8').trimEnd(),
      start: this.#start,
      conversation,
      status,
      since: this.#since,
      ...(status === 'idle' && end && { end, said: cutBytes(said, saidMaxBytes) }),
      ...(status === 'waiting' && { asks: limited }),
      received: told.received,
      answers: true,
    }));
    if (text === this.#written) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Not through a link that something in the container has put there.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, file);
    this.#written = text;
  }

  #text(asks, whole) {
    let text = '';
    for (const limit of textLimits) {
      const cut = (value) => String(value ?? '').slice(0, limit);
      const limited = asks.map((ask) => ({
        ...ask,
        title: cut(ask.title),
        body: cut(ask.body),
        options: ask.options
          .slice(0, optionsMax)
          .map(({ id, label, note }) => ({ id: cut(id), label: cut(label), note: cut(note) })),
      }));
      text = JSON.stringify(whole(limited));
      if (Buffer.byteLength(text) <= fileMaxBytes) break;
    }
    return text;
  }

  remove() {
    rmSync(file, { force: true });
  }
}

async function tui(api) {
  let reported = '';
  /** An error is written to opencode's log, once if it comes again and again. */
  const failed = (error) => {
    const message = `the status file of coi: ${error}`;
    if (message === reported) return;
    reported = message;
    void Promise.resolve(
      api.client.app.log({ service: 'coi-status', level: 'error', message }),
    ).catch(() => undefined);
  };
  const guarded = (effect) => {
    try {
      effect();
    } catch (error) {
      failed(error);
    }
  };
  guarded(() => {
    const output = new StatusFile();
    const told = new Conversations((session) => api.state.session.get(session));
    const shown = () => {
      const { name, params } = api.route.current;
      return name === 'session' ? told.rootOf(params.sessionID) : (told.current ?? '');
    };
    const write = () => guarded(() => output.write(told, shown(), api.ui.dialog.open));
    let isDue = false;
    follow((type, handler) => {
      api.event.on(type, (event) => {
        guarded(() => handler(event.properties));
        // Events come in groups, such as an error and the end of the turn.
        if (isDue) return;
        isDue = true;
        setImmediate(() => {
          isDue = false;
          write();
        });
      });
    }, told);
    const look = setInterval(write, lookMs);
    look.unref?.();
    const answers = new AnswerFile(directory);
    const answering = setInterval(() => {
      if (told.asks.length > 0) answers.look(told, api.client).catch(failed);
    }, answerMs);
    answering.unref?.();
    const end = () =>
      guarded(() => {
        answers.remove();
        output.remove();
      });
    process.on('exit', end);
    api.lifecycle.onDispose(() => {
      clearInterval(look);
      clearInterval(answering);
      process.off('exit', end);
      end();
    });
    write();
  });
}

export default { id: 'coi.status', tui };
