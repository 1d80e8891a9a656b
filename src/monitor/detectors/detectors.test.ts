import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketReading } from '../../host/proc/sockets.ts';
import { type DetectionState, detect, initialDetection } from '../detect.ts';
import { idle, later, task } from '../fixtures/load.ts';
import type { GuardCounters, Sample } from '../sample.ts';
import { defaultSettings, type MonitorSettings } from '../settings.ts';
import { carriesData } from './guard.ts';
import { suspicion } from './secrets.ts';

const megabyte = 1024 * 1024;

/** Levels and titles of the findings in the last of several samples. */
function findings(
  samples: readonly Sample[],
  settings: MonitorSettings = defaultSettings,
): string[] {
  let watch: DetectionState = initialDetection;
  let result: string[] = [];
  for (const sample of samples) {
    const found = detect(watch, sample, settings);
    watch = found.watch;
    result = found.threats.map(({ level, title }) => `${level}: ${title}`);
  }
  return result;
}

const reading = (bytes: number, written = 0) => [task({ readBytes: bytes, writtenBytes: written })];

test('bulk reading followed by sending raises a finding', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const read = later(idle, 2000, { processes: reading(300 * megabyte) });
  const sent = later(idle, 8000, { processes: reading(300 * megabyte), sentBytes: 200 * megabyte });
  assert.deepEqual(findings([first, read, sent]), ['high: Bulk reading followed by sending']);
});

test('bulk reading with little sent, and a download that is read again, raise no finding', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const built = later(idle, 2000, { processes: reading(4000 * megabyte), sentBytes: megabyte });
  assert.deepEqual(findings([first, built]), []);
  const loaded = later(idle, 2000, {
    processes: reading(400 * megabyte),
    sentBytes: 60 * megabyte,
    receivedBytes: 400 * megabyte,
  });
  assert.deepEqual(findings([first, loaded]), []);
});

test('data sent long before the reading does not count', () => {
  const first = later(idle, 0, { processes: reading(0) });
  const sent = later(idle, 2000, { processes: reading(0), sentBytes: 200 * megabyte });
  const pause = Array.from({ length: 40 }, (_, index) => later(sent, 2000 * (index + 1)));
  const read = later(idle, 90_000, {
    processes: reading(300 * megabyte),
    sentBytes: 200 * megabyte,
  });
  assert.deepEqual(findings([first, sent, ...pause, read]), []);
});

test('a burst of processes is a fork bomb only far beyond the size of a build', () => {
  const count = (processCount: number, ms: number) => later(idle, ms, { processCount });
  assert.deepEqual(findings([count(20, 0), count(320, 2000)]), []);
  assert.deepEqual(findings([count(900, 0), count(1100, 2000)]), []);
  assert.deepEqual(findings([count(20, 0), count(1500, 2000)]), ['critical: Fork bomb']);
});

test('each listening port is reported once, including those of the first sample', () => {
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
  assert.deepEqual(findings([first]), ['info: New listener']);
  assert.deepEqual(findings([first, later(idle, 2000, { listeners: on(80) })]), []);
  assert.deepEqual(findings([first, later(idle, 2000, { listeners: on(80, 81) })]), [
    'info: New listener',
  ]);
});

test("the user's limits replace the built-in ones", () => {
  const count = (processCount: number, ms: number) => later(idle, ms, { processCount });
  const settings = { ...defaultSettings, processes: 100, spawnsPerSecond: 50 };
  assert.deepEqual(findings([count(20, 0), count(120, 2000)], settings), [
    'critical: Too many processes',
  ]);
  assert.deepEqual(findings([count(20, 0), count(90, 2000)], settings), []);
  const started = (innerPid: number, ms: number) =>
    later(idle, ms, { processes: [task({ pid: innerPid, startTicks: innerPid, innerPid })] });
  assert.deepEqual(findings([started(10, 0), started(210, 2000)], settings), [
    'critical: Too many new processes',
  ]);
  assert.deepEqual(findings([started(10, 0), started(210, 2000)]), []);
});

test('scanning environments and credential paths is a warning', () => {
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
  assert.deepEqual(findings([before, after]), ['warning: Search for credentials']);
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
  assert.deepEqual(
    findings([first, later(idle, 2000, { guard: guard({ dnsLongNames: names }) })]),
    ['high: Data in DNS queries'],
  );
  assert.deepEqual(findings([first, later(idle, 2000, { guard: guard({ dnsNames: 150 }) })]), [
    'warning: Very many DNS names queried',
  ]);
  assert.deepEqual(findings([first, later(idle, 2000, { guard: guard({ dnsNames: 30 }) })]), []);
});

test('touching a decoy is high even if nothing else happened', () => {
  const touch = {
    path: '/home/code/.aws/credentials',
    kind: 'bait',
    written: false,
    pid: 7,
    program: 'cat',
  } as const;
  assert.deepEqual(findings([idle, later(idle, 2000, { quiet: true, touches: [touch] })]), [
    'high: Bait file accessed',
  ]);
});

test('creating a missing protected path is high', () => {
  const touch = {
    path: '.vscode',
    kind: 'persistence',
    written: true,
    pid: 0,
    program: '',
  } as const;
  assert.deepEqual(findings([idle, later(idle, 2000, { touches: [touch] })]), [
    'high: Protected path created',
  ]);
});
