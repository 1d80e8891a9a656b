// Alerts of the session's monitor on an attached terminal: none is lost with a connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeIncus, startFakeIncus } from '../../../test/fakes/incus/server.ts';
import { keys } from '../../instance-keys.ts';
import { makeContext } from '../make-context.ts';
import { quietParts } from '../quiet-context.ts';
import { showAlerts } from './alerts.ts';

const limit = { timeout: 20_000 };

function alert(title: string, time = new Date().toISOString()): string {
  return JSON.stringify({ level: 'high', title, description: 'd', time, action: 'alerted' });
}

interface AlertHarness {
  readonly fake: FakeIncus;
  /** Resolves when an alert with that title was printed. */
  untilPrinted(title: string): Promise<void>;
  readonly text: () => string;
  /** Sets an alert like coid; without `heard` no event announces it. */
  set(title: string, heard?: boolean): void;
}

async function withTerminal(
  begin: (fake: FakeIncus) => void,
  use: (told: AlertHarness) => Promise<void>,
): Promise<void> {
  await using fake = await startFakeIncus();
  const instance = fake.state.addInstance('c', { status: 'Running' });
  begin(fake);
  let text = '';
  const looks = new Set<() => void>();
  const show = (message: string) => {
    text += `${message}\n`;
    for (const look of looks) look();
  };
  const env = { INCUS_SOCKET: fake.socketPath };
  const { signal } = new AbortController();
  const app = makeContext({
    ...quietParts,
    report: { info: () => {}, detail: () => {}, warn: () => {}, setup: () => {} },
    cwd: '/',
    env,
    signal,
  });
  using _ = showAlerts(app, 'c', show);
  await use({
    fake,
    text: () => text,
    untilPrinted: (title) =>
      new Promise((resolve) => {
        const look = () => void (text.includes(title) && resolve());
        looks.add(look);
        look();
      }),
    set: (title, heard = true) => {
      instance.config[keys.alert] = alert(title);
      if (heard) fake.state.emit('instance-updated', 'instances/c');
    },
  });
  await app.close();
}

test('an alert is reported once, when it arrives', limit, async () => {
  await withTerminal(
    () => {},
    async ({ fake, set, untilPrinted: told, text }) => {
      await fake.nextRequest('GET', /instances\/c$/);
      set('first');
      await told('first');
      set('second');
      await told('second');
      assert.equal(text().split('first').length, 2);
    },
  );
});

test('an alert from before the subscription was ready is reported', limit, async () => {
  await withTerminal(
    (fake) =>
      fake.faults.inject({
        path: /events/,
        nth: 1,
        fault: { kind: 'fail', status: 500, message: '' },
      }),
    async ({ fake, set, untilPrinted: told }) => {
      await fake.nextRequest('GET', /events/);
      set('in the gap', false);
      await told('in the gap');
    },
  );
});

test('an alert that arrives while the connection to Incus is lost is reported', limit, async () => {
  await withTerminal(
    () => {},
    async ({ fake, set, untilPrinted: told }) => {
      await fake.nextRequest('GET', /instances\/c$/);
      set('before');
      await told('before');
      fake.cutAll();
      set('meanwhile', false);
      await told('meanwhile');
    },
  );
});

test('an alert from an earlier run is not reported as new', limit, async () => {
  await withTerminal(
    (fake) => {
      const config = fake.state.instances.get('c')?.config ?? {};
      config[keys.alert] = alert('long ago', '2026-01-01T00:00:00.000Z');
    },
    async ({ fake, set, untilPrinted: told, text }) => {
      await fake.nextRequest('GET', /instances\/c$/);
      set('news');
      await told('news');
      assert.doesNotMatch(text(), /long ago/);
    },
  );
});
