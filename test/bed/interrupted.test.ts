// Ctrl-C of `npm test` ends the running suite with its daemons and containers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRealIncus } from './incus.ts';

const program = fileURLToPath(new URL('./interrupted-run.ts', import.meta.url));

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a suite ended by ${signal} leaves nothing behind`, { timeout: 180_000 }, async () => {
    // The inner test must not inherit this one's environment.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const runner = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let result = '';
    for (const stream of [runner.stdout, runner.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        result += text;
      });
    let over = false;
    const ended = once(runner, 'exit').finally(() => {
      over = true;
    });
    const made = /made (\S+) (\S+) (\d+) (\S+) end/;
    while (!made.test(result) && !over) await Promise.race([once(runner.stderr, 'data'), ended]);
    assert.ok(made.test(result), result);
    const [, name = '', runDir = '', pid = '', user = ''] = made.exec(result) ?? [];
    using incus = { client: await openRealIncus(), [Symbol.dispose]: () => incus.client.close() };
    assert.ok((await incus.client.instanceNames()).includes(name), result);

    runner.kill(signal);
    const [code] = await ended;
    assert.equal(code, status, result);
    assert.ok(!(await incus.client.instanceNames()).includes(name), result);
    assert.equal(existsSync(`/proc/${pid}`), false, result);
    assert.equal(existsSync(runDir), false, result);
    const account = new RegExp(`^${user}:`, 'm');
    assert.ok(user === 'root' || !account.test(readFileSync('/etc/passwd', 'utf8')), result);
  });
}
