// An extension of pi: writes what this process does and asks to a status file, which coi reads on the host (src/attention). It
// runs in the container, inside pi: it must never throw into it or delay it. Knows pi 0.73 and 1.6: events that a version
// lacks never come.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.env.COI_STATUS_DIR;
const saidMaxBytes = 2048;
const titleMax = 256;
/** pi 0.73 does not say whether it goes on after the end of a run: to try again, or with a message that waited. */
const goesOnMs = 500;

/** Field 22 of proc(5): when the process started, since its pid can be in use again. */
function startTime() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** The last bytes are the last words. */
function cutBytes(text) {
  const bytes = Buffer.from(text);
  return bytes.subarray(Math.max(0, bytes.length - saidMaxBytes)).toString();
}

/** How the run ended, and what was said last. */
function endOf(messages, isAborted) {
  const last = (messages ?? []).findLast((message) => message?.role === 'assistant');
  const blocks = Array.isArray(last?.content) ? last.content : [];
  const said = blocks
    .filter((block) => block?.type === 'text')
    .map(({ text }) => text)
    .join('\n');
  const end =
    isAborted || last?.stopReason === 'aborted'
      ? 'interrupted'
      : last?.stopReason === 'error'
        ? 'failed'
        : 'finished';
  return { end, said: cutBytes(said) };
}

class StatusFile {
  #start = startTime();
  #file = join(directory, `${process.pid}.json`);
  #temporary = join(directory, `.${process.pid}.tmp`);

  write(conversation, status, more = {}) {
    const text = JSON.stringify({
      v: 1,
      pid: process.pid,
      // A program may change its name.
      comm: readFileSync('/proc/self/comm', 'utf8').trimEnd(),
      start: this.#start,
      conversation,
      status,
      since: Date.now(),
      ...more,
    });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Not through a link that something in the container has put there.
    rmSync(this.#temporary, { force: true });
    writeFileSync(this.#temporary, `${text}\n`, { flag: 'wx', mode: 0o600 });
    renameSync(this.#temporary, this.#file);
  }

  remove() {
    rmSync(this.#file, { force: true });
  }
}

export default function coiStatus(pi) {
  // Without it the process does not belong to a session of coi.
  if (!directory) return;
  let output;
  let ended = {};
  let isRunning = false;
  let timer;
  const on = (event, handler) =>
    pi.on(event, (data, context) => {
      try {
        output ??= new StatusFile();
        const conversation = String(context?.sessionManager?.getSessionId?.() ?? '');
        handler((status, more) => output.write(conversation, status, more), data, context);
      } catch {
        // Then coi knows less, which must not be pi's problem.
      }
    });
  const settle = (write) => {
    clearTimeout(timer);
    isRunning = false;
    write('idle', ended);
  };
  const run = (write) => {
    clearTimeout(timer);
    isRunning = true;
    write('busy');
  };
  on('session_start', (write) => write('idle'));
  on('before_agent_start', run);
  on('agent_start', run);
  on('agent_end', (write, { messages }, context) => {
    ended = endOf(messages, false);
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        if (context.isIdle?.() ?? true) settle(write);
      } catch {
        // The session was replaced meanwhile.
      }
    }, goesOnMs);
    timer.unref?.();
  });
  on('agent_settled', (write, event) => {
    if (event?.aborted) ended = { ...ended, end: 'interrupted' };
    settle(write);
  });
  on('ui_prompt_start', (write, { title }) => {
    const ask = {
      id: `${Date.now()}`,
      kind: 'dialog',
      title: String(title ?? '').slice(0, titleMax),
      body: '',
      options: [],
    };
    write('waiting', { asks: [ask] });
  });
  on('ui_prompt_end', (write) => (isRunning ? write('busy') : write('idle', ended)));
  on('session_shutdown', () => {
    clearTimeout(timer);
    output.remove();
  });
}
