// Commands inside an instance: on a terminal, with pipes, or run to the end with the output kept.
import { type Api, callLimitMs, timedOut } from './api.ts';
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

/** On a busy host Incus now and then loses a command that it enters an instance with. */
const entryTries = 3;

async function captured(
  api: Api,
  name: string,
  request: ExecRequest & { input?: string | Buffer },
  options: CallOptions,
): Promise<CapturedExec> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await capturedOnce(api, name, request, options);
    } catch (error) {
      const isLost = error instanceof IncusError && error.lostAtStart;
      if (!isLost || tries === entryTries) throw error;
    }
  }
}

/** The limit is that of the whole command; a command that outlives it is killed. */
async function capturedOnce(
  api: Api,
  name: string,
  request: ExecRequest & { input?: string | Buffer },
  options: CallOptions,
): Promise<CapturedExec> {
  const { input, ...command } = request;
  const call = { method: 'POST', path: api.url(`/instances/${name}/exec`) };
  const timeoutMs = options.timeoutMs ?? callLimitMs;
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) => {
    const exec = await piped(api, name, command, { signal, timeoutMs });
    const kill = () => {
      exec.signal(killSignal);
      exec.close();
    };
    signal.addEventListener('abort', kill, { once: true });
    try {
      signal.throwIfAborted();
      exec.stdin.end(input ?? '');
      const [stdout, stderr, status] = await Promise.all([
        collected(exec.stdout, call),
        collected(exec.stderr, call),
        exec.status,
      ]);
      return { status, stdout, stderr };
    } catch (error) {
      kill();
      throw error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  });
}

function collected(
  stream: PipedExec['stdout'],
  call: { method: string; path: string },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > captureMaxBytes)
        reject(lost(call, 'EMSGSIZE', `the command printed more than ${captureMaxBytes} bytes`));
      else chunks.push(chunk);
    });
    stream.once('close', () => resolve(Buffer.concat(chunks)));
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    // The command may have ended, and its sockets be lost, before all of them were open: then no event comes any more.
    if (stream.destroyed) resolve(Buffer.concat(chunks));
  });
}
