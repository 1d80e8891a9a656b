// A provider of models at a public-looking address in a network namespace: what the host sends there never leaves it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Enclave, openEnclave } from '../bed/enclave.ts';
import type { FromProvider, HangUp, Heard } from './provider-protocol.ts';

export interface Provider extends AsyncDisposable {
  /** For ANTHROPIC_BASE_URL. */
  readonly url: string;
  readonly address: string;
  readonly heard: readonly Heard[];
  /** A port on which nothing is said, for whatever connects to it. */
  readonly silentPort: number;
  /** Resolves when something has connected there. */
  readonly connected: Promise<void>;
  /** Ends what is connected there. */
  hangUp(): void;
  /** The first request of an agent (with tools) whose last words contain that; also one that was made already. */
  request(words: string): Promise<Heard>;
}

const port = 8089;
const waitMs = 60_000;

export async function openProvider(): Promise<Provider> {
  await using undo = new AsyncDisposableStack();
  const enclave: Enclave = undo.use(await openEnclave());
  const script = fileURLToPath(new URL('provider-server.ts', import.meta.url));
  const child: ChildProcess = spawn(
    'ip',
    [
      ...['netns', 'exec', enclave.namespace, process.execPath, script],
      ...[enclave.address, String(port)],
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  undo.defer(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let taken: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => {
    taken = resolve;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`the provider ended with ${status}`)));
    child.on('message', (message: FromProvider) => {
      if (message.kind === 'ready') return resolve();
      if (message.kind === 'connected') return taken();
      heard.push(message);
      for (const wake of [...waiting]) wake();
    });
  });
  const kept = undo.move();
  return {
    url: `http://${enclave.address}:${port}`,
    address: enclave.address,
    silentPort: port + 1,
    connected,
    hangUp: () => void child.send({ kind: 'hang-up' } satisfies HangUp),
    heard,
    request: async (words) => {
      const limit = AbortSignal.timeout(waitMs);
      for (;;) {
        const found = heard.find(
          ({ hasTools, said }) => hasTools && said.findLast(isUser)?.text.includes(words),
        );
        if (found) return found;
        assert.equal(
          limit.aborted,
          false,
          `nobody said ${words}: ${JSON.stringify(heard.slice(-3))}`,
        );
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
          limit.addEventListener('abort', wake, { once: true });
        });
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function isUser({ role }: { role: string }): boolean {
  return role === 'user';
}
