import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect, initialDetection } from '../detect.ts';
import { idle, later, recorded, recordedNames, task } from '../fixtures/load.ts';
import type { Connection, Sample } from '../sample.ts';
import { defaultSettings } from '../settings.ts';
import { isAtLeast, type Threat } from '../threat.ts';

const attacks = recordedNames().filter((name) => !name.startsWith('ordinary-'));
const ordinary = recordedNames().filter((name) => name.startsWith('ordinary-'));

function found(sample: Sample): readonly Threat[] {
  return detect(detect(initialDetection, idle, defaultSettings).watch, sample, defaultSettings)
    .threats;
}

test('recordings cover all common reverse shells', () => {
  assert.ok(attacks.length >= 20, `${attacks.length} attacks`);
  assert.ok(ordinary.length >= 5, `${ordinary.length} of ordinary work`);
});

for (const name of attacks) {
  test(`the recorded ${name} is a critical finding`, () => {
    assert.equal(found(recorded(name))[0]?.level, 'critical');
  });
}

// awk and a renamed copy of a shell look like any program; the others are recognised by their structure alone.
for (const name of attacks.filter((one) => !['gawk', 'copied-bash'].includes(one))) {
  test(`the recorded ${name} is found without its command line and under another name`, () => {
    const sample = recorded(name);
    const silent = { ...sample, processes: sample.processes.map((one) => ({ ...one, comm: 'x' })) };
    const titles = found(silent).map(({ title }) => title);
    assert.ok(titles.includes('Reverse shell'), titles.join(', '));
  });
}

for (const name of ordinary) {
  test(`${name} does not pause the session`, () => {
    const bad = found(recorded(name)).filter(({ level }) => isAtLeast(level, 'high'));
    assert.deepEqual(bad, []);
  });
}

const socket = 'socket:[7]';
const remote: Connection = {
  protocol: 'tcp',
  localAddress: '10.77.0.9',
  localPort: 40_000,
  remoteAddress: '93.184.215.14',
  remotePort: 443,
  state: 'established',
  uid: 1_001_000,
  inode: '7',
};
const shell = task({ std: [socket, socket, socket] });

test('a shell on a connection is a reverse shell, even on a web port', () => {
  const sample = later(idle, 2000, {
    processes: [shell],
    connections: [remote],
    socketInodes: new Set(['7']),
  });
  assert.equal(found(sample)[0]?.title, 'Reverse shell');
});

test('a shell on a socket that is in no network table is reported if it persists', () => {
  const before = later(idle, 2000, { processes: [shell] });
  const first = detect(
    detect(initialDetection, idle, defaultSettings).watch,
    before,
    defaultSettings,
  );
  assert.deepEqual(
    first.threats.filter(({ level }) => level !== 'info'),
    [],
  );
  const second = detect(first.watch, later(before, 2000), defaultSettings);
  assert.equal(second.threats[0]?.title, 'Shell on a hidden socket');
});

test('a shell on a unix socket, as agents give their commands, raises no finding', () => {
  const before = later(idle, 2000, { processes: [shell], socketInodes: new Set(['7']) });
  const { watch } = detect(initialDetection, before, defaultSettings);
  assert.deepEqual(detect(watch, later(before, 2000), defaultSettings).threats, []);
});

test('nc typed by a user into their own shell raises no finding', () => {
  const user = task({ pid: 10 });
  const nc = task({
    pid: 11,
    ppid: 10,
    comm: 'nc',
    exe: '/usr/bin/nc.openbsd',
    argv: ['nc', 'host', '80'],
    descriptors: [socket],
  });
  const child = task({ pid: 12, ppid: 11 });
  const sample = later(idle, 2000, {
    processes: [user, nc, child],
    connections: [remote],
    socketInodes: new Set(['7']),
  });
  assert.deepEqual(
    found(sample).filter(({ level }) => level !== 'info'),
    [],
  );
});
