// Commands inside an instance: on a terminal, with pipes, or with captured output.
import { callLimitMs } from './api.ts';
import { type Api, timedOut } from './call.ts';
import {
  type CallOptions,
  type CapturedExec,
  type ExecRequest,
  type Incus,
  IncusError,
  type PipedExec,
} from './client.ts';
import { withDeadline } from './deadline.ts';
import { openExec } from './exec-session.ts';
import { callError } from './http.ts';

const captureMaxBytes = 64 * 1024 * 1024;
const killSignal = 9;

interface Call {
  readonly method: string;
  readonly path: string;
}

type ExecCalls = Pick<Incus, 'execTerminal' | 'execPiped' | 'execCaptured'>;

export function execCalls(api: Api): ExecCalls {
  return {
    execTerminal: async (name, { columns, rows, ...request }, options = {}) => {
      const terminal = { ...request, interactive: true, width: columns, height: rows } as const;
      const session = await openExec(api, name, terminal, { '0': 'both' }, options);
      const { control } = session;
      return {
        stream: session.streams['0'],
        resize: (width, height) =>
          control({
            command: 'window-resize',
            args: { width: String(width), height: String(height) },
          }),
        signal: (signal) => control({ command: 'signal', signal }),
        status: session.status,
        close: () => session.close(),
      };
    },
    execPiped: (name, request, options = {}) => startPiped(api, name, request, options),
    execCaptured: (name, request, options = {}) => runCaptured(api, name, request, options),
  };
}

async function startPiped(
  api: Api,
  name: string,
  request: ExecRequest,
  options: CallOptions,
): Promise<PipedExec> {
  const fds = { '0': 'write', '1': 'read', '2': 'read' } as const;
  const session = await openExec(api, name, { ...request, interactive: false }, fds, options);
  return {
    stdin: session.streams['0'],
    stdout: session.streams['1'],
    stderr: session.streams['2'],
    signal: (signal) => session.control({ command: 'signal', signal }),
    status: session.status,
    close: () => session.close(),
  };
}

/**
 * On a busy host Incus sometimes loses a command when it enters an instance, never reports on it, or loses the output of
 * one that ends at once. So a wrapper prints a line and waits for a reply before it runs the command: a command that is
 * lost before that has not run, and is retried.
 */
const waiting = 'echo coi-waits; IFS= read -r go || exit 125; exec "$@"';
const waits = 'coi-waits\n';
/** How long each try may stay silent. */
const waitMs: readonly number[] = [5000, 10_000, 20_000];

function wrapCommand(command: readonly string[]): string[] {
  return ['sh', '-c', waiting, 'coi', ...command];
}
async function runCaptured(
  api: Api,
  name: string,
  request: ExecRequest & { input?: string | Buffer },
  options: CallOptions,
): Promise<CapturedExec> {
  const { input = '', ...command } = request;
  const call: Call = { method: 'POST', path: api.url(`/instances/${name}/exec`) };
  const timeoutMs = options.timeoutMs ?? callLimitMs;
  const start = (signal: AbortSignal) =>
    startPiped(
      api,
      name,
      { ...command, command: wrapCommand(command.command) },
      { signal, timeoutMs },
    );
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) => {
    for (let tries = 0; ; tries += 1) {
      try {
        const patienceMs = waitMs[tries] ?? timeoutMs;
        return await captureOutcome(await start(signal), input, call, { signal, patienceMs });
      } catch (error) {
        const isLost = error instanceof IncusError && error.lostAtStart;
        if (!isLost || tries === waitMs.length - 1) throw error;
      }
    }
  });
}

/** Kills the command when the signal aborts. Throws `lostAtStart` if it did not run. */
async function captureOutcome(
  exec: PipedExec,
  input: string | Buffer,
  call: Call,
  { signal, patienceMs }: { signal: AbortSignal; patienceMs: number },
): Promise<CapturedExec> {
  const kill = () => {
    exec.signal(killSignal);
    exec.close();
  };
  signal.addEventListener('abort', kill, { once: true });
  try {
    signal.throwIfAborted();
    const errors = collect(exec.stderr, call);
    // Awaited below, or irrelevant.
    errors.catch(() => {});
    if (await isWaiting(exec, call, patienceMs)) {
      exec.stdin.write('go\n');
      exec.stdin.end(input);
    } else {
      const status = await exec.status;
      // Only if there is no sh; then stderr has the reason.
      if (status !== 126 && status !== 127) throw notRun(call);
    }
    const [stdout, stderr, status] = await Promise.all([
      collect(exec.stdout, call),
      errors,
      exec.status,
    ]);
    return { status, stdout, stderr };
  } catch (error) {
    kill();
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Reads the wrapper's line. False if it ended without one; throws `lostAtStart` if nothing arrives. */
async function isWaiting(
  { stdout, status }: PipedExec,
  call: Call,
  patienceMs: number,
): Promise<boolean> {
  const said = Promise.withResolvers<boolean>();
  let text = '';
  const read = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.length >= waits.length) said.resolve(text === waits);
  };
  const silent = setTimeout(() => said.reject(notRun(call)), patienceMs);
  stdout.on('data', read);
  status.then(() => said.resolve(false), said.reject);
  try {
    return await said.promise;
  } finally {
    clearTimeout(silent);
    stdout.off('data', read).pause();
  }
}

function notRun(call: Call): IncusError {
  const message = 'Incus lost the command at its start';
  return new IncusError({ status: 0, ...call, message, errno: 'ETIMEDOUT', lostAtStart: true });
}

/** Rejects if the stream is lost before its end: partial output is useless. */
function collect(stream: PipedExec['stdout'], call: Call): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const closed = () =>
      stream.readableEnded
        ? resolve(Buffer.concat(chunks))
        : reject(callError(call, 'EPIPE', 'Incus lost output of the command'));
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > captureMaxBytes)
        reject(
          callError(call, 'EMSGSIZE', `the command printed more than ${captureMaxBytes} bytes`),
        );
      else chunks.push(chunk);
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('close', closed);
    stream.resume();
    // If the command ended and its sockets were lost before all were open, no event will follow.
    if (stream.destroyed) closed();
  });
}
