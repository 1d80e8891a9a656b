// `coi ports`: ports of the host that lead into a session that runs, opened and taken away while it does.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { makeUser } from '../bed/users.ts';
import { config, freePort, good, heard, listening, refused, serve, start } from './reach-bed.ts';

const timeout = 240_000;

for (const mode of ['restricted', 'allowlist', 'open'])
  test(`in ${mode} mode a port is opened, reached on the loopback only, listed and taken away`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const name = await start(bed, '--network', mode);
    await serve(bed, name, 3000, 'from inside');
    const host = await freePort();
    await refused(host);
    const added = good(await bed.coi(['ports', 'add', `${host}:3000`, '--name', 'web', '--json']));
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
      new RegExp(`http://127\\.0\\.0\\.1:${host} on this host leads to port 3000 of ${name}`),
    );
    assert.equal(await heard(host), 'from inside');
    const others = Object.values(networkInterfaces())
      .flatMap((list = []) => list)
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const { address } of others) await refused(host, address);
    assert.match(good(await bed.coi(['list'])).stdout, new RegExp(`Ports: web:${host}->3000`));
    assert.match(
      good(await bed.coi(['ports', 'list'])).stdout,
      new RegExp(`127\\.0\\.0\\.1:${host} +3000 +web`),
    );
    good(await bed.coi(['ports', 'remove', 'web']));
    await refused(host);
    const left = JSON.parse(good(await bed.coi(['ports', 'list', '--json'])).stdout);
    assert.deepEqual(left, { container: name, ports: [] });
    assert.equal(
      good(await bed.coi(['ports', 'list'])).stdout,
      `No port of the host leads into ${name}\n`,
    );
  });

test('a session is meant by name, alias, alias with slot, --slot, and nobody else’s is', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await config(bed, '[container]\nalias = "shop"\n');
  const one = await start(bed, '--slot', '1');
  const two = await start(bed, '--slot', '2');
  const meant = async (...words: string[]) => {
    const said = good(await bed.coi(['ports', 'list', '--json', ...words]));
    return JSON.parse(said.stdout).container;
  };
  assert.equal(await meant(one), one);
  assert.equal(await meant('shop-2'), two);
  assert.equal(await meant('--slot', '2'), two);
  const several = await bed.coi(['ports', 'list']);
  assert.equal(several.status, 1);
  assert.match(several.stderr, /this workspace has 2 containers/);
  assert.match((await bed.coi(['ports', 'list', '--slot', '7'])).stderr, /no session in slot 7/);
  good(await bed.coi(['kill', two]));
  assert.equal(await meant('shop'), one);
  assert.equal(await meant(), one);

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

test('a port that is taken is refused with who has it and the next free one', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await start(bed);
  for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    const server = createServer();
    try {
      const port = await listening(server, 0, address);
      const said = await bed.coi(['ports', 'add', `${port}:80`]);
      assert.equal(said.status, 1, address);
      assert.match(
        said.stderr,
        new RegExp(
          `^Error: port ${port} of this host is in use by a program of user 0\nHint: The next free one: coi ports add (\\d+):80 ${name}\n$`,
        ),
        address,
      );
      const next = Number(/add (\d+):80/.exec(said.stderr)?.[1]);
      assert.ok(next > port);
      good(await bed.coi(['ports', 'add', `${next}:80`, name]));
      assert.match(
        (await bed.coi(['ports', 'add', String(next)])).stderr,
        /leads into the session already: \d+->80\nHint: Take it away first: coi ports remove \d+/,
      );
      good(await bed.coi(['ports', 'remove', String(next)]));
    } finally {
      server.close();
    }
  }
  // A program that the user may look into is named, and so is another session of theirs.
  const own = await freePort();
  const program = bed.command([
    ...[process.execPath, '-e'],
    `require('net').createServer().listen(${own}, '127.0.0.1', () => console.log('listens'))`,
  ]);
  await program.waitFor('listens');
  const named = await bed.coi(['ports', 'add', String(own)]);
  assert.match(
    named.stderr,
    new RegExp(`port ${own} of this host is in use by node \\(process \\d+\\)`),
  );
  await program.close();
  const second = await start(bed);
  const port = await freePort();
  good(await bed.coi(['ports', 'add', String(port), second]));
  assert.match(
    (await bed.coi(['ports', 'add', String(port), name])).stderr,
    new RegExp(`in use by session ${second}`),
  );
});

test('what is no port, and a session that does not run, is said in one sentence', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await start(bed, '--persistent');
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
    const said = await bed.coi(['ports', 'add', '--', word]);
    assert.equal(said.status, 2, word);
    assert.match(said.stderr, /is no port/, word);
  }
  const badName = await bed.coi(['ports', 'add', '5173', '--name', 'a b']);
  assert.equal(badName.status, 2);
  assert.match(badName.stderr, /invalid --name "a b"/);
  const nothing = await bed.coi(['ports', 'remove', '5173']);
  assert.equal(nothing.status, 1);
  assert.match(
    nothing.stderr,
    /no port "5173" of the host leads into the session\nHint: None does/,
  );
  const ref = { name };
  await (await bed.incus.changeState(ref.name, { action: 'freeze', timeout: 30 })).wait();
  const paused = await bed.coi(['ports', 'add', '5173']);
  assert.equal(paused.status, 1);
  assert.match(paused.stderr, /is paused\nHint: `coi unfreeze/);
  await (await bed.incus.changeState(ref.name, { action: 'unfreeze', timeout: 30 })).wait();
  good(await bed.coi(['container', 'stop', name]));
  const stopped = await bed.coi(['ports', 'add', '5173']);
  assert.match(stopped.stderr, /does not run\nHint: `coi shell --resume=/);
  const json = await bed.coi(['ports', 'add', '5173', '--json']);
  assert.equal(JSON.parse(json.stderr).error.code, 'session-not-found');
});
