// Ports, sockets, login files, commands for variables, pre_launch and git identity in real sessions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;

async function config(bed: Bed, text: string): Promise<void> {
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.toml'), text);
  await chown(directory, bed.user.uid, bed.user.gid);
}

const run = (bed: Bed, ...command: string[]) =>
  bed.coi(['run', '--image', bed.image, '--', ...command]);

/** Everything that a host port sends. */
async function receive(port: number, address = '127.0.0.1'): Promise<string> {
  const socket = connect(port, address);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

test('ports forward from the host to a server inside, are listed and shown to the agent', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await config(bed, '[ports]\npool = 1\n[[ports.map]]\nname = "web"\ncontainer = 3000\n');
  const started = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const [name = ''] = await bed.instances();
  const {
    active_containers: [row],
  } = JSON.parse((await bed.coi(['list', '--json'])).stdout);
  const [pool, web] = row.published_ports as string[];
  const port = Number(/^web:(\d+)->3000$/.exec(web ?? '')?.[1]);
  assert.equal(port, Number(pool) + 1);
  assert.match(
    (await bed.coi(['list'])).stdout,
    new RegExp(`^    Ports: ${pool}, web:${port}->3000$`, 'm'),
  );
  const shell = await bed.coi([
    'container',
    'exec',
    name,
    '--',
    'sh',
    '-c',
    "tr '\\0' '\\n' </proc/$(pgrep -u code -o -x dummy || pgrep -u code -o tmux)/environ | grep COI_PORT | sort",
  ]);
  assert.equal(shell.stdout, `COI_PORTS=${pool}\nCOI_PORT_WEB=${port}\n`, shell.stderr);
  const served = bed.startCoi([
    'container',
    'exec',
    name,
    '--',
    'sh',
    '-c',
    'echo ready; echo from inside | nc -l -N -p 3000 || echo from inside | nc -l -N 3000',
  ]);
  const listens = 'until ss -ltn | grep -q :3000; do sleep 0.05; done';
  await bed.coi(['container', 'exec', name, '--', 'sh', '-c', listens]);
  // Only on the loopback, not reachable from other hosts.
  const own = Object.values(networkInterfaces())
    .flatMap((list = []) => list)
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  assert.ok(own.length > 0);
  for (const { address } of own)
    await assert.rejects(receive(port, address), { code: 'ECONNREFUSED' }, address);
  assert.equal(await receive(port), 'from inside\n');
  await served.result;
});

const serveOnLocalhost = `
import socket
family, kind, proto, _, address = socket.getaddrinfo('localhost', 3000, 0, socket.SOCK_STREAM)[0]
server = socket.socket(family, kind, proto)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(address)
server.listen()
one, _ = server.accept()
one.sendall(address[0].encode())
one.close()
`;

/** The test image without its /etc/hosts template, and with Debian's file. */
async function hostsOfDebian(bed: Bed): Promise<{ alias: string } & AsyncDisposable> {
  const { incus } = bed;
  const name = `${bed.prefix}other`;
  const path = `/1.0/instances/${name}`;
  const made = await incus.createInstance({
    name,
    type: 'container',
    start: false,
    ephemeral: false,
    profiles: ['default'],
    source: { type: 'image', alias: bed.image },
    config: {},
    devices: {},
  });
  await made.wait();
  const metadata = (await incus.query('GET', `${path}/metadata`)) as { templates: object };
  const { '/etc/hosts': _, ...templates } = metadata.templates as Record<string, unknown>;
  await incus.query('PUT', `${path}/metadata`, { ...metadata, templates });
  const hosts = '127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n';
  await incus.writeFile(name, '/etc/hosts', Buffer.from(hosts), { uid: 0, gid: 0, mode: 0o644 });
  await (await incus.publishImage({ instance: name, compression: 'none', aliases: [name] })).wait();
  await (await incus.deleteInstance(name)).wait();
  return {
    alias: name,
    async [Symbol.asyncDispose]() {
      const image = await incus.imageAlias(name);
      if (image) await (await incus.deleteImage(image.target)).wait();
    },
  };
}

for (const inside of ['an image of coi', 'an image that has localhost on ::1 as well'])
  test(`a server on the first address of localhost is reachable from the host, in ${inside}`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    await config(bed, '[[ports.map]]\nname = "web"\ncontainer = 3000\n');
    await using other = inside === 'an image of coi' ? undefined : await hostsOfDebian(bed);
    const image = other?.alias ?? bed.image;
    const started = await bed.coi(['shell', '--background', '--image', image]);
    assert.equal(started.status, 0, started.stderr);
    const [name = ''] = await bed.instances();
    const { active_containers: rows } = JSON.parse((await bed.coi(['list', '--json'])).stdout);
    const port = Number(/^web:(\d+)->3000$/.exec(rows[0].published_ports[0])?.[1]);
    const exec = ['container', 'exec', name, '--'];
    const served = bed.startCoi([...exec, 'python3', '-c', serveOnLocalhost]);
    const listens = 'until ss -ltn | grep -q :3000; do sleep 0.05; done';
    await bed.coi([...exec, 'sh', '-c', listens]);
    assert.equal(await receive(port), '127.0.0.1');
    await served.result;
  });

test('a pinned port that is in use refuses the start before anything is created', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await config(bed, `[[ports.map]]\nname = "db"\ncontainer = 5432\nhost = ${port}\n`);
    const output = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(output.status, 1);
    assert.match(output.stderr, new RegExp(`port ${port} for "db" is in use`));
    assert.deepEqual(await bed.instances(), []);
  } finally {
    server.close();
  }
});

test('a host socket answers inside, at the path that a variable names', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const path = join(bed.user.home, 'service.sock');
  const server = createServer((socket) => socket.end('from the host\n')).listen(path);
  await once(server, 'listening');
  try {
    await chown(path, bed.user.uid, bed.user.gid);
    await config(
      bed,
      `[[sockets]]\nhost = "${path}"\ncontainer = "/home/code/service.sock"\nenv = "SERVICE"\n`,
    );
    const output = await run(bed, 'sh', '-c', 'nc -U "$SERVICE" </dev/null');
    assert.equal(output.stdout, 'from the host\n', output.stderr);
  } finally {
    server.close();
  }
});

test('a host loopback port answers inside only if configured', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const server = createServer((socket) => socket.end('from the host\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const ask = ['sh', '-c', 'echo "$SERVICE" | tr : " " | xargs nc'];
    await config(
      bed,
      `[[sockets]]\nhost = "tcp:${port}"\ncontainer = "tcp:4000"\nenv = "SERVICE"\n`,
    );
    const output = await run(bed, ...ask);
    assert.equal(output.stdout, 'from the host\n', output.stderr);
    await config(bed, '');
    const closed = await run(bed, 'env', 'SERVICE=127.0.0.1:4000', ...ask);
    assert.deepEqual([closed.status !== 0, closed.stdout], [true, '']);
    for (const host of ['tcp:10.0.0.1:80', 'tcp:0', 'tcp:65536', 'tcp:127.0.0.256:1', 'tcp:']) {
      await config(bed, `[[sockets]]\nhost = "${host}"\ncontainer = "tcp:4000"\n`);
      const refused = await run(bed, 'true');
      assert.equal(refused.status, 125, host);
      assert.match(refused.stderr, /must be a path or a loopback port/, host);
    }
  } finally {
    server.close();
  }
});

test('login files, bundled and single, are inside with their modes, and a missing one is reported', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await mkdir(join(bed.user.home, '.config/gh'), { recursive: true });
  await writeFile(join(bed.user.home, '.config/gh/hosts.yml'), 'token: x\n');
  await writeFile(join(bed.user.home, 'key'), 'secret\n');
  await config(
    bed,
    '[[credentials]]\nbundle = "gh"\n[[credentials]]\nhost = "~/key"\ncontainer = "/etc/key"\nmode = "0440"\n',
  );
  const output = await run(
    bed,
    'sh',
    '-c',
    'cat ~/.config/gh/hosts.yml /etc/key; stat -c %a,%U ~/.config ~/.config/gh/hosts.yml /etc/key',
  );
  assert.equal(output.stdout, 'token: x\nsecret\n755,code\n600,code\n440,code\n', output.stderr);
  await config(bed, '[[credentials]]\nhost = "~/none"\ncontainer = "/etc/key"\n');
  const missing = await run(bed, 'true');
  assert.equal(missing.status, 125);
  assert.match(missing.stderr, /none does not exist/);
  assert.deepEqual(await bed.instances(), []);
});

test("variables come from host commands, and git inside has the user's identity", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await writeFile(
    join(bed.user.home, '.gitconfig'),
    '[user]\n\tname = Test Name\n\temail = test@example.invalid\n',
  );
  await config(
    bed,
    '[defaults.env_commands]\nTOKEN = "printf \'from %s\' \\"$USER\\""\nBAD = "exit 1"\n',
  );
  const output = await run(
    bed,
    'sh',
    '-c',
    'echo "$TOKEN"; git config user.name; git config user.email; printenv BAD || echo unset',
  );
  assert.equal(
    output.stdout,
    `from ${bed.user.name}\nTest Name\ntest@example.invalid\nunset\n`,
    output.stderr,
  );
  assert.match(output.stderr, /the command for BAD failed/);
});

test('pre_launch runs inside before the agent', { timeout }, async () => {
  await using bed = await makeBed();
  await config(bed, '[tool]\npre_launch = ["echo prepared >~/prepared", "exit 9"]\n');
  const output = await bed.coi(['run', '--image', bed.image, '--prompt', 'hello']);
  assert.equal(output.status, 0, output.stderr);
  assert.match(output.stdout, /You said: hello/);
  assert.match(output.stderr, /pre_launch: status 9/);
});
