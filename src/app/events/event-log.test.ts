import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCursor } from '../../attention/events/cursor.ts';
import type { LoggedEvent, SessionEvent } from '../../attention/events/event.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { AppContext } from '../context.ts';
import { eventsPath, makeEventLog } from './event-log.ts';
import { EventLogWriter } from './event-log-writer.ts';
import { followEvents } from './follow-events.ts';

const at = '2026-11-30T10:00:00.000Z';

interface TestLog extends Disposable {
  readonly app: AppContext;
  readonly path: string;
  /** As after a restart of the watcher. */
  writer(): EventLogWriter;
}

function makeLog(): TestLog {
  const home = mkdtempSync(join(tmpdir(), 'coit-events-'));
  const user = { home, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const app = { user, clock: { now: () => new Date(at) } } as AppContext;
  makeEventLog(app)[Symbol.dispose]();
  return {
    app,
    path: eventsPath(app),
    writer: () => new EventLogWriter(() => makeEventLog(app)),
    [Symbol.dispose]: () => rmSync(home, { recursive: true }),
  };
}

function event(
  instance: string,
  said: string,
  type: SessionEvent['type'] = 'activity',
): SessionEvent {
  return {
    ...{ v: 1, type, at, container: `coi-${instance}`, alias: '', slot: 1, tool: 'claude' },
    ...{ workspace: '/w', session_id: '', instance },
    attention: { status: 'idle', said, asks: [] },
  } as SessionEvent;
}

/** The next events, with their cursors. */
async function next(
  app: AppContext,
  since: string | undefined,
  count: number,
): Promise<{ texts: string[]; cursor: string }> {
  const texts: string[] = [];
  let cursor = since ?? '';
  const from = since === undefined ? undefined : parseCursor(since);
  for await (const followed of followEvents(app, from, AbortSignal.timeout(10_000))) {
    texts.push(textOf(followed.event));
    ({ cursor } = followed);
    if (texts.length === count) break;
  }
  return { texts, cursor };
}

function textOf(logged: LoggedEvent): string {
  if (logged.type !== 'snapshot') return `${logged.instance} ${logged.attention.said}`;
  return `snapshot ${logged.sessions.map(({ instance, attention }) => `${instance} ${attention.said}`).join()}`;
}

test('a reader gets a snapshot, then every event once, also after the writer has been started again', async () => {
  using log = makeLog();
  assert.deepEqual((await next(log.app, undefined, 1)).texts, ['snapshot ']);
  log.writer().append([event('a', '1', 'created')], at);
  const first = await next(log.app, undefined, 1);
  assert.deepEqual(first.texts, ['snapshot a 1']);
  log.writer().append([event('a', '2'), event('b', '1', 'created')], at);
  const second = await next(log.app, first.cursor, 2);
  assert.deepEqual(second.texts, ['a 2', 'b 1']);
  const writer = log.writer();
  assert.deepEqual([...writer.states.keys()], ['a', 'b']);
  writer.append([event('a', '2', 'ended')], at);
  assert.deepEqual((await next(log.app, second.cursor, 1)).texts, ['a 2']);
  assert.deepEqual((await next(log.app, undefined, 1)).texts, ['snapshot b 1']);
});

test('an event that is written while a reader waits reaches it', async () => {
  using log = makeLog();
  const writer = log.writer();
  writer.append([event('a', '1')], at);
  const { cursor } = await next(log.app, undefined, 1);
  const waiting = next(log.app, cursor, 1);
  setImmediate(() => writer.append([event('a', '2')], at));
  assert.deepEqual((await waiting).texts, ['a 2']);
});

test('a cursor that the log does not have any more gives a snapshot', async () => {
  using log = makeLog();
  log.writer().append([event('a', '1')], at);
  const { cursor } = await next(log.app, undefined, 1);
  for (const name of readdirSync(log.path)) rmSync(join(log.path, name));
  log.writer().append([event('b', '2')], at);
  assert.deepEqual((await next(log.app, cursor, 1)).texts, ['snapshot b 2']);
});

test('files are replaced when they are long; a slow reader misses nothing that is still there', async () => {
  using log = makeLog();
  const writer = log.writer();
  writer.append([event('a', 'first')], at);
  const { cursor } = await next(log.app, undefined, 1);
  const long = 'x'.repeat(100_000);
  for (let index = 0; index < 25; index += 1) writer.append([event('a', `${index} ${long}`)], at);
  assert.equal(readdirSync(log.path).length, 3);
  const read = await next(log.app, cursor, 25);
  assert.deepEqual(
    read.texts.map((text) => text.split(' ')[1]),
    Array.from({ length: 25 }, (_, index) => String(index)),
  );
  for (let index = 0; index < 60; index += 1) writer.append([event('a', `${index} ${long}`)], at);
  assert.equal(readdirSync(log.path).length, 4);
  assert.match((await next(log.app, cursor, 1)).texts[0] ?? '', /^snapshot/);
});

test('a snapshot of sessions with long questions is read whole, and its cursors are right', async () => {
  using log = makeLog();
  const long = 'x'.repeat(100_000);
  const many = Array.from({ length: 40 }, (_, index) => event(`s${index}`, long, 'created'));
  const writer = log.writer();
  writer.append(many, at);
  const { cursor } = await next(log.app, undefined, 1);
  writer.append([event('s1', 'short')], at);
  assert.deepEqual((await next(log.app, cursor, 1)).texts, ['s1 short']);
  assert.equal(log.writer().states.size, 40);
});

test('a line that was cut by a crash is left out, and the log goes on', async () => {
  using log = makeLog();
  log.writer().append([event('a', '1')], at);
  const { cursor } = await next(log.app, undefined, 1);
  const [name = ''] = readdirSync(log.path);
  appendFileSync(join(log.path, name), '{"v":1,"type":"activ');
  log.writer().append([event('a', '2')], at);
  assert.deepEqual((await next(log.app, cursor, 1)).texts, ['a 2']);
  truncateSync(join(log.path, name), 10);
  assert.match((await next(log.app, cursor, 1)).texts[0] ?? '', /^snapshot/);
});

test('the log goes on after the user has deleted it', async () => {
  using log = makeLog();
  const writer = log.writer();
  writer.append([event('a', '1')], at);
  for (const name of readdirSync(log.path)) rmSync(join(log.path, name));
  writer.append([event('a', '2')], at);
  assert.deepEqual((await next(log.app, undefined, 1)).texts, ['snapshot a 2']);
  const { cursor } = await next(log.app, undefined, 1);
  const waiting = next(log.app, cursor, 2);
  rmSync(join(log.app.user.home, '.coi'), { recursive: true });
  writer.append([event('a', '3')], at);
  writer.append([event('a', '4')], at);
  assert.deepEqual((await waiting).texts, ['snapshot a 2', 'a 3']);
});

test('what is not a file of the log is not read', () => {
  using log = makeLog();
  const [name] = ['00000009-aaaaaaaa'];
  using directory = hostFiles.open(log.path);
  directory?.makeDirectory(name)[Symbol.dispose]();
  log.writer().append([event('a', '1')], at);
  assert.equal(readdirSync(log.path).filter((file) => file.startsWith('00000001-')).length, 1);
});
