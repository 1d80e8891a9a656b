// Fields of a process status: its name, and whether it was killed and only waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessStatus, statusOf } from './process-status.ts';

const text = (changes: Readonly<Record<string, string | undefined>> = {}) =>
  Object.entries({
    Name: 'systemd',
    State: 'S (sleeping)',
    NSpid: '4711\t1',
    VmSize: '   21056 kB',
    SigPnd: '0000000000000000',
    ShdPnd: '0000000000000000',
    ...changes,
  })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}:\t${value}\n`]))
    .join('');

test('a live init process is recognised', () => {
  assert.deepEqual(parseProcessStatus(text()), {
    comm: 'systemd',
    state: 'S',
    isInit: true,
    isKilled: false,
  });
});

test("a host process, an init of a nested namespace and a later process are not the container's init", () => {
  for (const ids of ['1', '4711', '4711\t2', '4711\t80\t1'])
    assert.equal(parseProcessStatus(text({ NSpid: ids })).isInit, false, ids);
});

test('a process waiting in the kernel was killed if that signal is pending or its memory is gone', () => {
  const isKilled = (changes: Readonly<Record<string, string | undefined>>) =>
    parseProcessStatus(text({ State: 'D (disk sleep)', ...changes })).isKilled;
  assert.equal(isKilled({}), false);
  assert.equal(isKilled({ SigPnd: '0000000000000100' }), true);
  assert.equal(isKilled({ ShdPnd: 'fffffffe7ffbfeff' }), false);
  assert.equal(isKilled({ ShdPnd: 'fffffffe7ffbffff' }), true);
  assert.equal(isKilled({ VmSize: undefined }), true);
});

test('a process name cannot be mistaken for another line', () => {
  // The kernel escapes newlines, so no line can start inside a name.
  const { comm, isInit } = parseProcessStatus(text({ Name: 'a\\nNSpid:\\t1\\t1', NSpid: '9' }));
  assert.equal(comm, 'a\\nNSpid:\\t1\\t1');
  assert.equal(isInit, false);
});

test('this process is parsed', () => {
  const own = statusOf(process.pid);
  assert.equal(own?.isKilled, false);
  assert.equal(own?.state, 'R');
  assert.equal(statusOf(2 ** 22 + 1), undefined);
});
