// Commands inside an instance: on a terminal, with pipes, or run to the end with the output kept.
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
import { lost } from './http.ts';

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
    execPiped: (name, request, options = {}) => piped(api, name, request, options),
    execCaptured: (name, request, options = {}) => captured(api, name, request, options),
  };
}

async function piped(
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
 * On a busy host Incus now and then loses a command that it enters an instance with, says nothing of it for ever, or
 * loses the output of one that ends at once. So the command is kept waiting for a line until its first output has
 * arrived: one that is lost before that did not run, and is asked again.
 */
const waiting = 'echo coi-waits; IFS= read -r go || exit 125; exec "$@"';
const waits = 'coi-waits\n';
/** How long each try may say nothing. */
const waitMs: readonly number[] = [5000, 10_000, 20_000];

function kept(command: readonly string[]): string[] {
  return ['sh', '-c', waiting, 'coi', ...command];
}
async function captured(
  api: Api,
  name: string,
  request: ExecRequest & { input?: string | Buffer },
  options: CallOptions,
): Promise<CapturedExec> {
  const { input = '', ...command } = request;
  const call: Call = { method: 'POST', path: api.url(`/instances/${name}/exec`) };
  const timeoutMs = options.timeoutMs ?? callLimitMs;
  const start = (signal: AbortSignal) =>
    piped(api, name, { ...command, command: kept(command.command) }, { signal, timeoutMs });
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) => {
    for (let tries = 0; ; tries += 1) {
      try {
        const patienceMs = waitMs[tries] ?? timeoutMs;
        return await outcomeOf(await start(signal), input, call, { signal, patienceMs });
      } catch (error) {
        const isLost = error instanceof IncusError && error.lostAtStart;
        if (!isLost || tries === waitMs.length - 1) throw error;
      }
    }
  });
}

/** A command that outlives the signal is killed. Throws `lostAtStart` where it did not run. */
async function outcomeOf(
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
    const errors = collected(exec.stderr, call);
    // Awaited further down, or of no interest.
    errors.catch(() => {});
    if (await isWaiting(exec, call, patienceMs)) {
      exec.stdin.write('go\n');
      exec.stdin.end(input);
    } else {
      const status = await exec.status;
      // Only where there is no sh: then stderr has the reason.
      if (status !== 126 && status !== 127) throw notRun(call);
    }
    const [stdout, stderr, status] = await Promise.all([
      collected(exec.stdout, call),
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

/** Reads what a command that is kept waiting says. False where it ended without; throws `lostAtStart` where nothing came. */
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

/** Rejects where the stream was lost before its end, since a part of the output is no output. */
function collected(stream: PipedExec['stdout'], call: Call): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const closed = () =>
      stream.readableEnded
        ? resolve(Buffer.concat(chunks))
        : reject(lost(call, 'EPIPE', 'Incus lost output of the command'));
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > captureMaxBytes)
        reject(lost(call, 'EMSGSIZE', `the command printed more than ${captureMaxBytes} bytes`));
      else chunks.push(chunk);
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('close', closed);
    stream.resume();
    // The command may have ended, and its sockets be lost, before all of them were open: then no event comes any more.
    if (stream.destroyed) closed();
  });
}
