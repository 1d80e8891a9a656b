// Ctrl-C of `npm test` ends the suite that runs, with the services and containers that it began.
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
  test(`${signal} leaves nothing of a suite behind`, { timeout: 180_000 }, async () => {
    // A test of its own: nothing of this one's is to be in its environment.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const runner = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [runner.stdout, runner.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    let over = false;
    const ended = once(runner, 'exit').finally(() => {
      over = true;
    });
    const made = /made (\S+) (\S+) (\d+) (\S+) end/;
    while (!made.test(said) && !over) await Promise.race([once(runner.stderr, 'data'), ended]);
    assert.ok(made.test(said), said);
    const [, name = '', runDir = '', pid = '', user = ''] = made.exec(said) ?? [];
    using incus = { client: await openRealIncus(), [Symbol.dispose]: () => incus.client.close() };
    assert.ok((await incus.client.instanceNames()).includes(name), said);

    runner.kill(signal);
    const [code] = await ended;
    assert.equal(code, status, said);
    assert.ok(!(await incus.client.instanceNames()).includes(name), said);
    assert.equal(existsSync(`/proc/${pid}`), false, said);
    assert.equal(existsSync(runDir), false, said);
    const account = new RegExp(`^${user}:`, 'm');
    assert.ok(user === 'root' || !account.test(readFileSync('/etc/passwd', 'utf8')), said);
  });
}
