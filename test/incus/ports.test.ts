// `coi ports`: host ports that forward into a running session, opened and removed while it runs.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { makeUser } from '../bed/users.ts';
import {
  assertRefused,
  assertSucceeded,
  freePort,
  listen,
  receive,
  serve,
  startSession,
  writeConfig,
} from './port-bed.ts';

const timeout = 240_000;

for (const mode of ['restricted', 'allowlist', 'open'])
  test(`in ${mode} mode a port can be opened, reached on the loopback only, listed and removed`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const name = await startSession(bed, '--network', mode);
    await serve(bed, name, 3000, 'from inside');
    const host = await freePort();
    await assertRefused(host);
    const added = assertSucceeded(
      await bed.coi(['ports', 'add', `${host}:3000`, '--name', 'web', '--json']),
    );
    assert.deepEqual(JSON.parse(added.stdout), {
      container: name,
      name: 'web',
      listen: '127.0.0.1',
      host_port: host,
      container_port: 3000,
      added: true,
    });
    assert.match(
      added.stderr,
      new RegExp(`Forwarding http://127\\.0\\.0\\.1:${host} on this host to port 3000 of ${name}`),
    );
    assert.equal(await receive(host), 'from inside');
    const others = Object.values(networkInterfaces())
      .flatMap((list = []) => list)
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const { address } of others) await assertRefused(host, address);
    assert.match(
      assertSucceeded(await bed.coi(['list'])).stdout,
      new RegExp(`Ports: web:${host}->3000`),
    );
    assert.match(
      assertSucceeded(await bed.coi(['ports', 'list'])).stdout,
      new RegExp(`127\\.0\\.0\\.1:${host} +3000 +web`),
    );
    assertSucceeded(await bed.coi(['ports', 'remove', 'web']));
    await assertRefused(host);
    const left = JSON.parse(assertSucceeded(await bed.coi(['ports', 'list', '--json'])).stdout);
    assert.deepEqual(left, { container: name, ports: [] });
    assert.equal(
      assertSucceeded(await bed.coi(['ports', 'list'])).stdout,
      `No ports are forwarded to ${name}\n`,
    );
  });

test("a session is selected by name, alias, alias with slot or --slot, and never another user's", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await writeConfig(bed, '[container]\nalias = "shop"\n');
  const one = await startSession(bed, '--slot', '1');
  const two = await startSession(bed, '--slot', '2');
  const selected = async (...words: string[]) => {
    const result = assertSucceeded(await bed.coi(['ports', 'list', '--json', ...words]));
    return JSON.parse(result.stdout).container;
  };
  assert.equal(await selected(one), one);
  assert.equal(await selected('shop-2'), two);
  assert.equal(await selected('--slot', '2'), two);
  const several = await bed.coi(['ports', 'list']);
  assert.equal(several.status, 1);
  assert.match(several.stderr, /this workspace has 2 containers/);
  assert.match((await bed.coi(['ports', 'list', '--slot', '7'])).stderr, /no session in slot 7/);
  assertSucceeded(await bed.coi(['kill', two]));
  assert.equal(await selected('shop'), one);
  assert.equal(await selected(), one);

  await using undo = new AsyncDisposableStack();
  const other = undo.adopt(await makeUser(), (account) => account.remove());
  const foreign = await other.run([coiPath(), 'ports', 'add', String(await freePort()), one], {
    env: bed.env,
  });
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /container ".*" not found/);
  assert.deepEqual(await recorded(bed, one), undefined);
});

async function recorded(bed: Bed, name: string): Promise<string | undefined> {
  return (await bed.incus.instance(name))?.instance.config['user.coi.ports'];
}

test('a port in use is refused with its user and the next free port', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startSession(bed);
  for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    const server = createServer();
    try {
      const port = await listen(server, 0, address);
      const result = await bed.coi(['ports', 'add', `${port}:80`]);
      assert.equal(result.status, 1, address);
      assert.match(
        result.stderr,
        new RegExp(
          `^Error: port ${port} of this host is in use by a program of user 0\nHint: Use the next free port: coi ports add (\\d+):80 ${name}\n$`,
        ),
        address,
      );
      const next = Number(/add (\d+):80/.exec(result.stderr)?.[1]);
      assert.ok(next > port);
      assertSucceeded(await bed.coi(['ports', 'add', `${next}:80`, name]));
      assert.match(
        (await bed.coi(['ports', 'add', String(next)])).stderr,
        /is already forwarded to the session: \d+->80\nHint: Remove it first: coi ports remove \d+/,
      );
      assertSucceeded(await bed.coi(['ports', 'remove', String(next)]));
    } finally {
      server.close();
    }
  }
  // A program that the user may inspect is named, and so is another session of theirs.
  const own = await freePort();
  const program = bed.command([
    ...[process.execPath, '-e'],
    `require('net').createServer().listen(${own}, '127.0.0.1', () => console.log('listens'))`,
  ]);
  await program.waitFor('listens');
  const named = await bed.coi(['ports', 'add', String(own)]);
  assert.match(
    named.stderr,
    new RegExp(`port ${own} of this host is in use by node \\(pid \\d+\\)`),
  );
  await program.close();
  const second = await startSession(bed);
  const port = await freePort();
  assertSucceeded(await bed.coi(['ports', 'add', String(port), second]));
  assert.match(
    (await bed.coi(['ports', 'add', String(port), name])).stderr,
    new RegExp(`in use by session ${second}`),
  );
});

test('an invalid port and a stopped session are errors of one sentence', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startSession(bed, '--persistent');
  for (const word of [
    '0',
    '65536',
    '80:',
    ':80',
    '1:2:3',
    '-1',
    'web',
    '99999999999',
    '0x50',
    '',
  ]) {
    const result = await bed.coi(['ports', 'add', '--', word]);
    assert.equal(result.status, 2, word);
    assert.match(result.stderr, /is not a port/, word);
  }
  const badName = await bed.coi(['ports', 'add', '5173', '--name', 'a b']);
  assert.equal(badName.status, 2);
  assert.match(badName.stderr, /invalid --name "a b"/);
  const nothing = await bed.coi(['ports', 'remove', '5173']);
  assert.equal(nothing.status, 1);
  assert.match(
    nothing.stderr,
    /no host port "5173" is forwarded to the session\nHint: Run `coi ports add`/,
  );
  const ref = { name };
  await (await bed.incus.changeState(ref.name, { action: 'freeze', timeout: 30 })).wait();
  const paused = await bed.coi(['ports', 'add', '5173']);
  assert.equal(paused.status, 1);
  assert.match(paused.stderr, /is paused\nHint: Run `coi unfreeze/);
  await (await bed.incus.changeState(ref.name, { action: 'unfreeze', timeout: 30 })).wait();
  assertSucceeded(await bed.coi(['container', 'stop', name]));
  const stopped = await bed.coi(['ports', 'add', '5173']);
  assert.match(stopped.stderr, /is not running\nHint: Run `coi shell --resume=/);
  const json = await bed.coi(['ports', 'add', '5173', '--json']);
  assert.equal(JSON.parse(json.stderr).error.code, 'session-not-found');
});
