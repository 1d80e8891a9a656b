// The plugin of opencode with events as opencode sends them (test/agents/opencode-attention.test.ts runs the real one).
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

interface Written {
  readonly status: string;
  readonly end?: string;
  readonly said?: string;
  readonly conversation: string;
  readonly asks?: readonly { readonly id: string; readonly subAgent?: boolean }[];
  readonly received: readonly { readonly id: string }[];
}

/** The plugin finds the home when it is loaded. */
const home = mkdtempSync(join(tmpdir(), 'coit-opencode-'));
process.env['HOME'] = home;
after(() => rmSync(home, { recursive: true }));
const path = join(home, `.local/share/opencode/coi-status/${process.pid}.json`);
const script = new URL('../session/guest/opencode-status.js', import.meta.url).href;
const { default: plugin } = await import(script);

const busy = { type: 'busy' };
const idle = { type: 'idle' };

/** A process of opencode on whose screen is the conversation `one`. */
class Opencode implements AsyncDisposable {
  readonly #handlers = new Map<string, (event: object) => void>();
  #dispose = () => {};
  readonly #logged: object[] = [];

  static async start(): Promise<Opencode> {
    const opencode = new Opencode();
    await plugin.tui({
      route: { current: { name: 'session', params: { sessionID: 'one' } } },
      ui: { dialog: { open: false } },
      state: { session: { get: () => undefined } },
      client: { app: { log: async (entry: object) => opencode.#logged.push(entry) } },
      event: {
        on: (type: string, handler: (event: object) => void) =>
          opencode.#handlers.set(type, handler),
      },
      lifecycle: {
        onDispose: (dispose: () => void) => {
          opencode.#dispose = dispose;
        },
      },
    });
    return opencode;
  }

  /** Sends the events and returns what is written then. */
  async after(...events: readonly (readonly [type: string, properties: object])[]) {
    for (const [type, properties] of events) this.#handlers.get(type)?.({ type, properties });
    await new Promise((resolve) => setImmediate(resolve));
    return JSON.parse(readFileSync(path, 'utf8')) as Written;
  }

  get logged(): readonly object[] {
    return this.#logged;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dispose();
    assert.throws(() => statSync(path), 'the file is removed');
  }
}

const status = (sessionID: string, value: object) =>
  ['session.status', { sessionID, status: value }] as const;
const error = (name: string) =>
  ['session.error', { sessionID: 'one', error: { name, data: {} } }] as const;
const message = (id: string, role: string, sessionID = 'one') =>
  ['message.updated', { info: { id, role, sessionID } }] as const;
const text = (messageID: string, words: string) =>
  [
    'message.part.updated',
    { part: { id: `${messageID}-text`, type: 'text', text: words, messageID, sessionID: 'one' } },
  ] as const;
const asked = (id: string, sessionID = 'one', command = 'ls') =>
  ['permission.asked', { id, sessionID, permission: 'bash', metadata: { command } }] as const;
const child = ['session.created', { info: { id: 'child', parentID: 'one' } }] as const;

describe('the status file of opencode', () => {
  it('only its owner can read it', async () => {
    await using opencode = await Opencode.start();
    await opencode.after();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('a message is shown with the turn that it begins, not with the end of the one before', async () => {
    await using opencode = await Opencode.start();
    const first = await opencode.after(
      message('m1', 'user'),
      text('m1', 'hello'),
      status('one', busy),
      message('m2', 'assistant'),
      text('m2', 'done'),
      status('one', idle),
    );
    assert.deepEqual([first.end, first.said, first.received.length], ['finished', 'done', 1]);
    const between = await opencode.after(message('m3', 'user'), text('m3', 'and now'));
    assert.equal(between.received.length, 1);
    const next = await opencode.after(status('one', busy));
    assert.deepEqual([next.status, next.end, next.received.length], ['busy', undefined, 2]);
  });

  it('an interrupted turn withdraws its questions and those of its sub-agents', async () => {
    await using opencode = await Opencode.start();
    const waiting = await opencode.after(
      child,
      status('one', busy),
      status('child', busy),
      asked('p1'),
      asked('p2', 'child'),
    );
    assert.deepEqual(
      waiting.asks?.map(({ id, subAgent }) => [id, subAgent]),
      [
        ['p1', undefined],
        ['p2', true],
      ],
    );
    const ended = await opencode.after(
      error('MessageAbortedError'),
      status('child', idle),
      status('one', idle),
      status('one', idle),
    );
    assert.deepEqual([ended.status, ended.end, ended.asks], ['idle', 'interrupted', undefined]);
  });

  it('a turn that goes on after a rejection or an error has finished', async () => {
    await using opencode = await Opencode.start();
    for (const stop of [
      ['permission.replied', { sessionID: 'one', requestID: 'p', reply: 'reject' }] as const,
      error('APIError'),
    ]) {
      const ended = await opencode.after(
        status('one', busy),
        message('m1', 'assistant'),
        stop,
        message('m2', 'assistant'),
        status('one', idle),
      );
      assert.equal(ended.end, 'finished');
    }
  });

  it('a turn that cannot begin has failed', async () => {
    await using opencode = await Opencode.start();
    assert.equal((await opencode.after(error('ProviderModelNotFoundError'))).end, 'failed');
  });

  it('a retry after an error of the provider is work', async () => {
    await using opencode = await Opencode.start();
    const retry = { type: 'retry', attempt: 1, message: 'overloaded', next: 0 };
    assert.equal((await opencode.after(status('one', retry))).status, 'busy');
  });

  it('the file has at most 64 KiB, whatever is asked and said', async () => {
    await using opencode = await Opencode.start();
    const long = '\u0001日"'.repeat(50_000);
    const asks = Array.from({ length: 20 }, (_, number) => asked(`p${number}`, 'one', long));
    const written = await opencode.after(status('one', busy), ...asks);
    assert.equal(written.asks?.[0]?.id, 'p0');
    assert.ok(statSync(path).size <= 64 * 1024);
    const ended = await opencode.after(
      message('m1', 'assistant'),
      text('m1', long),
      status('one', idle),
    );
    assert.ok(Buffer.byteLength(ended.said ?? '') <= 2048);
  });

  it('an event of an unknown form is logged and changes nothing', async () => {
    await using opencode = await Opencode.start();
    const written = await opencode.after(['session.status', {}], ['message.updated', {}]);
    assert.equal(written.status, 'idle');
    assert.notEqual(opencode.logged.length, 0);
  });
});
