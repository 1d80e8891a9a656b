// A model provider at a public-looking address in a network namespace: traffic to it never leaves the host.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Enclave, openEnclave } from '../bed/enclave.ts';
import type { AgentRequest, FromProvider, HangUp } from './provider-protocol.ts';

export interface Provider extends AsyncDisposable {
  /** For ANTHROPIC_BASE_URL. */
  readonly url: string;
  readonly address: string;
  readonly requests: readonly AgentRequest[];
  /** A port that accepts connections and sends nothing. */
  readonly silentPort: number;
  /** Resolves when a connection to it was opened. */
  readonly connected: Promise<void>;
  /** Closes connections to it. */
  hangUp(): void;
  /** The first agent request (with tools) whose last message contains that text, including earlier ones. */
  request(words: string): Promise<AgentRequest>;
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
  const requests: AgentRequest[] = [];
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
      requests.push(message);
      for (const wake of [...waiting]) wake();
    });
  });
  const resources = undo.move();
  return {
    url: `http://${enclave.address}:${port}`,
    address: enclave.address,
    silentPort: port + 1,
    connected,
    hangUp: () => void child.send({ kind: 'hang-up' } satisfies HangUp),
    requests: requests,
    request: async (words) => {
      const limit = AbortSignal.timeout(waitMs);
      for (;;) {
        const found = requests.find(
          ({ hasTools, messages }) => hasTools && messages.findLast(isUser)?.text.includes(words),
        );
        if (found) return found;
        assert.equal(
          limit.aborted,
          false,
          `no message ${words}: ${JSON.stringify(requests.slice(-3))}`,
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
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function isUser({ role }: { role: string }): boolean {
  return role === 'user';
}
