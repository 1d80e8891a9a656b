// Exec of the fake: real sockets, with commands that are functions of the test.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { WebSocket } from 'ws';
import type { OperationData } from '../../../src/incus/shapes.ts';
import { instanceOf } from './instances.ts';
import { Refusal } from './operations.ts';
import { accepted, type FakeDaemon, type Request } from './routes.ts';

export interface FakeProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** On a terminal, identical to stdout. */
  readonly stderr: Writable;
  /** Current terminal size; undefined with pipes. */
  readonly size: () => { columns: number; rows: number } | undefined;
  /** Resolves with the number of the first signal (9 if the instance stops or the client is gone). */
  readonly killed: Promise<number>;
}

/** Returns the exit status. */
export type FakeCommand = (process: FakeProcess) => Promise<number> | number;

export interface ScriptedCommand {
  readonly argv: readonly string[];
  readonly run: FakeCommand;
}

interface Body {
  command: string[];
  environment?: Record<string, string>;
  interactive: boolean;
  width?: number;
  height?: number;
}

/** Sockets of all execs by their secret. */
export class Execs {
  readonly #waiting = new Map<string, (socket: WebSocket) => void>();
  readonly #commands: readonly ScriptedCommand[];

  constructor(commands: readonly ScriptedCommand[]) {
    this.#commands = commands;
  }

  connect(secret: string, socket: WebSocket): void {
    const take = this.#waiting.get(secret);
    this.#waiting.delete(secret);
    if (take) take(socket);
    else socket.terminate();
  }

  has(secret: string): boolean {
    return this.#waiting.has(secret);
  }

  start(request: Request, daemon: FakeDaemon) {
    const instance = instanceOf(daemon, request);
    if (instance.status !== 'Running')
      throw new Refusal(
        400,
        `Instance is ${instance.status === 'Frozen' ? 'frozen' : 'not running'}`,
      );
    const body = request.json<Body>();
    const names = body.interactive ? ['0'] : ['0', '1', '2'];
    const secrets = Object.fromEntries([...names, 'control'].map((name) => [name, randomUUID()]));
    const sockets = names.map((name) => this.#socket(secrets[name] ?? ''));
    const control = this.#socket(secrets['control'] ?? '');
    const killed = Promise.withResolvers<number>();
    const end = () => killed.resolve(9);
    instance.execs.add(end);
    daemon.state.emit('instance-exec', `instances/${instance.name}`);
    const work = async (data: OperationData) => {
      try {
        const status = await this.#run(body, await Promise.all(sockets), control, killed);
        data.metadata = { return: status };
        if (status === 127) throw new Error('Command not found');
        if (status === 126) throw new Error('Command not executable');
        return data.metadata;
      } finally {
        instance.execs.delete(end);
      }
    };
    const metadata = { command: body.command, fds: secrets, interactive: body.interactive };
    return accepted(daemon.operations.start('Executing command', work, 'websocket', metadata));
  }

  #socket(secret: string): Promise<WebSocket> {
    return new Promise((resolve) => this.#waiting.set(secret, resolve));
  }

  async #run(
    body: Body,
    sockets: readonly WebSocket[],
    control: Promise<WebSocket>,
    killed: PromiseWithResolvers<number>,
  ): Promise<number> {
    let size = body.interactive
      ? { columns: body.width ?? 80, rows: body.height ?? 24 }
      : undefined;
    control.then((socket) => {
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.command === 'signal') killed.resolve(message.signal);
        else size = { columns: Number(message.args.width), rows: Number(message.args.height) };
      });
      socket.once('close', () => killed.resolve(9));
    });
    const [first, out = first, err = out] = sockets;
    if (!first || !out || !err) throw new Error('no sockets');
    const stdin = input(first);
    const stdout = output(out);
    const stderr = err === out ? stdout : output(err);
    const { argv, isKept } = withoutWait(body.command);
    const known = this.#commands.find((one) => one.argv.join('\0') === argv.join('\0'));
    const run: FakeCommand = async (process) => {
      if (!isKept) return known?.run(process) ?? 127;
      process.stdout.write('coi-waits\n');
      return (await readStartLine(process.stdin)) ? (known?.run(process) ?? 127) : 125;
    };
    const process = {
      argv,
      env: body.environment ?? {},
      stdin,
      stdout,
      stderr,
      size: () => size,
      killed: killed.promise,
    };
    const status = await Promise.race([
      run(process),
      killed.promise.then((signal) => 128 + signal),
    ]);
    const outputs = [...new Set([stdout, stderr])];
    for (const stream of outputs) stream.end();
    // A client that hung up does not fail the command.
    await Promise.all(outputs.map((stream) => finished(stream).catch(() => {})));
    // Like the daemon: a terminal ends once both sides have closed.
    if (body.interactive && first.readyState === first.OPEN)
      // Nor does a client that hangs up meanwhile.
      await finished(stdin.resume()).catch(() => {});
    for (const socket of sockets) socket.terminate();
    return status;
  }
}

/** The command that the client makes wait until its connections are open (src/incus/exec.ts). */
function withoutWait(command: readonly string[]): { argv: readonly string[]; isKept: boolean } {
  const [shell, flag, script = '', name, ...argv] = command;
  const isKept = shell === 'sh' && flag === '-c' && script.includes('coi-waits') && name === 'coi';
  return isKept ? { argv, isKept } : { argv: command, isKept };
}

/** Reads exactly the line that it waits for; false if there is none. */
async function readStartLine(stdin: Readable): Promise<boolean> {
  for (let text = ''; ; ) {
    const byte: Buffer | null = stdin.read(1);
    if (byte === null) {
      if (stdin.readableEnded || stdin.destroyed) return false;
      await Promise.race([once(stdin, 'readable'), once(stdin, 'end'), once(stdin, 'close')]);
    } else if (String(byte) === '\n') return text === 'go';
    else text += String(byte);
  }
}

function input(socket: WebSocket): Readable {
  const stream = new PassThrough();
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) stream.end();
    else if (!stream.write(data)) {
      socket.pause();
      stream.once('drain', () => socket.resume());
    }
  });
  socket.once('close', () => stream.destroy());
  return stream;
}

function output(socket: WebSocket): Writable {
  const stream = new PassThrough();
  const sending = (async () => {
    for await (const chunk of stream)
      await new Promise((resolve) => socket.send(chunk, { binary: true }, resolve));
    await new Promise((resolve) => socket.send('', { binary: false }, resolve));
  })();
  // The stream is destroyed if the client hangs up.
  sending.catch(() => {});
  socket.once('close', () => stream.destroy());
  return stream;
}
