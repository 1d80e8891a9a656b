import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketReading } from '../../host/proc/sockets.ts';
import { detect, noWatch, type Watch } from '../detect.ts';
import { idle, later, task } from '../fixtures/load.ts';
import type { GuardCounters, Sample } from '../sample.ts';
import { defaultSettings, type MonitorSettings } from '../settings.ts';
import { carriesData } from './guard.ts';
import { suspicion } from './secrets.ts';

const megabyte = 1024 * 1024;

/** Levels and titles of what the last of several samples tells. */
function told(samples: readonly Sample[], settings: MonitorSettings = defaultSettings): string[] {
  let watch: Watch = noWatch;
  let said: string[] = [];
  for (const sample of samples) {
    const found = detect(watch, sample, settings);
    watch = found.watch;
    said = found.threats.map(({ level, title }) => `${level}: ${title}`);
  }
  return said;
}

const reading = (bytes: number, written = 0) => [task({ readBytes: bytes, writtenBytes: written })];

test('much read and then sent is told', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const read = later(idle, 2000, { processes: reading(300 * megabyte) });
  const sent = later(idle, 8000, { processes: reading(300 * megabyte), sentBytes: 200 * megabyte });
  assert.deepEqual(told([first, read, sent]), ['high: Bulk reading followed by sending']);
});

test('much read and little sent, and a download that is read again, are nothing', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const built = later(idle, 2000, { processes: reading(4000 * megabyte), sentBytes: megabyte });
  assert.deepEqual(told([first, built]), []);
  const loaded = later(idle, 2000, {
    processes: reading(400 * megabyte),
    sentBytes: 60 * megabyte,
    receivedBytes: 400 * megabyte,
  });
  assert.deepEqual(told([first, loaded]), []);
});

test('what was sent long before the reading does not count', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const sent = later(idle, 2000, { processes: reading(0), sentBytes: 200 * megabyte });
  const pause = Array.from({ length: 40 }, (_, index) => later(sent, 2000 * (index + 1)));
  const read = later(idle, 90_000, {
    processes: reading(300 * megabyte),
    sentBytes: 200 * megabyte,
  });
  assert.deepEqual(told([first, sent, ...pause, read]), []);
});

test('a burst of processes is a fork bomb only when it is far beyond a build', () => {
  const count = (processCount: number, ms: number) => later(idle, ms, { processCount });
  assert.deepEqual(told([count(20, 0), count(320, 2000)]), []);
  assert.deepEqual(told([count(900, 0), count(1100, 2000)]), []);
  assert.deepEqual(told([count(20, 0), count(1500, 2000)]), ['critical: Fork bomb']);
});

test('each port that is listened on is told once, also those of the first look', () => {
  const on = (...ports: number[]) =>
    ports.map(
      (localPort): SocketReading => ({
        protocol: 'tcp',
        localAddress: '0.0.0.0',
        localPort,
        remoteAddress: '0.0.0.0',
        remotePort: 0,
        state: 'listening',
        uid: 0,
        inode: `${localPort}`,
      }),
    );
  const first = later(idle, 0, { listeners: on(80) });
  assert.deepEqual(told([first]), ['info: New listener']);
  assert.deepEqual(told([first, later(idle, 2000, { listeners: on(80) })]), []);
  assert.deepEqual(told([first, later(idle, 2000, { listeners: on(80, 81) })]), [
    'info: New listener',
  ]);
});

test('limits of the user replace the built-in ones', () => {
  const count = (processCount: number, ms: number) => later(idle, ms, { processCount });
  const settings = { ...defaultSettings, processes: 100, spawnsPerSecond: 50 };
  assert.deepEqual(told([count(20, 0), count(120, 2000)], settings), [
    'critical: Too many processes',
  ]);
  assert.deepEqual(told([count(20, 0), count(90, 2000)], settings), []);
  const started = (innerPid: number, ms: number) =>
    later(idle, ms, { processes: [task({ pid: innerPid, startTicks: innerPid, innerPid })] });
  assert.deepEqual(told([started(10, 0), started(210, 2000)], settings), [
    'critical: Too many new processes',
  ]);
  assert.deepEqual(told([started(10, 0), started(210, 2000)]), []);
});

test('a look into environments and at places of credentials is a warning', () => {
  const line = (...argv: string[]) => suspicion(task({ argv }));
  assert.ok(line('cat', '/proc/1/environ'));
  assert.ok(line('bash', '-c', 'cat ~/.aws/credentials'));
  assert.ok(line('cat', '/etc/shadow'));
  assert.ok(line('grep', '-rE', 'api_key|password', '/home'));
  assert.equal(line('grep', '-rn', 'token', 'src'), undefined);
  assert.equal(line('env', 'node', 'index.js'), undefined);
  assert.equal(line('rg', 'password', '.'), undefined);
  const before = later(idle, 0);
  const after = later(idle, 2000, { processes: [task({ argv: ['cat', '/proc/1/environ'] })] });
  assert.deepEqual(told([before, after]), ['warning: Search for credentials']);
});

const guard = (more: Partial<GuardCounters>): GuardCounters => ({
  deniedPackets: 0,
  dnsNames: 0,
  dnsLongNames: [],
  denied: [],
  ...more,
});

test('names that carry data are told from names of services', () => {
  assert.ok(
    carriesData('mzxw6ytboi2gk3tdmfzxi4dbnzsxezlsmfzxi5dfoj2a.q7zxk3lqnruwg2lu.t.example.com'),
  );
  for (const name of [
    'd2c8v52ll5s99u.cloudfront.net',
    'api.anthropic.com',
    'ec2-3-121-13-14.eu-central-1.compute.amazonaws.com',
    'registry.npmjs.example',
    '_dmarc.example.org',
  ]) {
    assert.ok(!carriesData(name), name);
  }
});

test('many names with data below one domain are high, many names a warning', () => {
  const names = Array.from(
    { length: 6 },
    (_, index) => `${String(index).repeat(55)}.t.example.com`,
  );
  const first = later(idle, 0, { guard: guard({}) });
  assert.deepEqual(told([first, later(idle, 2000, { guard: guard({ dnsLongNames: names }) })]), [
    'high: Data in questions for names',
  ]);
  assert.deepEqual(told([first, later(idle, 2000, { guard: guard({ dnsNames: 150 }) })]), [
    'warning: Very many different names asked for',
  ]);
  assert.deepEqual(told([first, later(idle, 2000, { guard: guard({ dnsNames: 30 }) })]), []);
});

test('bait that is touched is high also where nothing else happened', () => {
  const touch = {
    path: '/home/code/.aws/credentials',
    kind: 'bait',
    written: false,
    pid: 7,
    program: 'cat',
  } as const;
  assert.deepEqual(told([idle, later(idle, 2000, { quiet: true, touches: [touch] })]), [
    'high: Bait taken',
  ]);
});

test('a protected path that was missing and is made is high', () => {
  const touch = {
    path: '.vscode',
    kind: 'persistence',
    written: true,
    pid: 0,
    program: '',
  } as const;
  assert.deepEqual(told([idle, later(idle, 2000, { touches: [touch] })]), [
    'high: Protected path made',
  ]);
});
