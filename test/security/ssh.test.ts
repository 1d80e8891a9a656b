// What a session gains from an ssh connection to it: its server is the attacker's. Each with its control.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { startSshAgent } from '../lifecycle/agent.ts';

const timeout = 240_000;

interface SshSetup {
  readonly name: string;
  readonly ssh: (words: readonly string[], env?: Record<string, string>) => ReturnType<Bed['coi']>;
  /** Container root replaces the server by this; `$real` is the original. */
  readonly serve: (script: string) => Promise<void>;
}

async function makeSshSetup(bed: Bed): Promise<SshSetup> {
  const started = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const [name = ''] = await bed.instances();
  const printed = await bed.coi(['ssh-config']);
  assert.equal(printed.status, 0, printed.stderr);
  const file = join(bed.user.home, 'host');
  writeFileSync(file, printed.stdout);
  const root = async (...command: string[]) => {
    const result = await bed.coi(['container', 'exec', name, '--', ...command]);
    assert.equal(result.status, 0, result.stderr);
  };
  await root('mv', '/usr/sbin/sshd', '/usr/sbin/real');
  return {
    name,
    ssh: (words, env = {}) =>
      bed.user.run(['ssh', '-F', file, ...words], { env: { ...bed.env, ...env } }),
    serve: (script) =>
      root(
        'sh',
        '-c',
        'printf "#!/bin/sh\\nreal=/usr/sbin/real\\n%s\\n" "$1" >/usr/sbin/sshd; chmod 755 /usr/sbin/sshd',
        'sh',
        script,
      ),
  };
}

test('an ssh server in the session gets no SSH agent of the user and no host port', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using agent = await startSshAgent(bed.user, 'one');
  const { name, ssh, serve } = await makeSshSetup(bed);
  await serve('exec $real -o AllowAgentForwarding=yes -o AllowTcpForwarding=yes "$@"');
  const env = { SSH_AUTH_SOCK: agent.socket };
  const look = 'ssh-add -l 2>&1 | grep -o ED25519; ss -ltn | grep -o :9000; true';
  const lent = ['-o', 'ForwardAgent=yes', '-o', 'IdentityAgent=SSH_AUTH_SOCK'];
  const control = await ssh([...lent, '-R', '9000:localhost:9', name, look], env);
  assert.match(control.stdout, /^ED25519\n:9000\n/, control.stderr);
  const result = await ssh([name, look], env);
  assert.deepEqual([result.status, result.stdout], [0, ''], result.stderr);
});

test('an ssh server with another key is refused and gets neither password nor key', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { name, ssh, serve } = await makeSshSetup(bed);
  const key = 'k=$(mktemp -d)/k; ssh-keygen -q -t ed25519 -N "" -f "$k"';
  await serve(`${key}; exec $real -o "HostKey=$k" "$@" -h "$k"`);
  const trusting = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const control = await ssh([...trusting, '-o', 'HostKeyAlias=other', name, 'echo in']);
  assert.equal(control.stdout, 'in\n', control.stderr);
  const result = await ssh([name, 'echo in']);
  assert.deepEqual([result.status, result.stdout], [255, '']);
  assert.match(
    result.stderr,
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/,
  );
  // No client prompts the user on its own.
  await serve('exec $real -o AuthenticationMethods=password -o PasswordAuthentication=yes "$@"');
  const answer = await ssh(['-v', name, 'echo in']);
  assert.equal(answer.status, 255);
  assert.match(answer.stderr, /No more authentication methods to try/);
});

test('output of an ssh server before the connection cannot control the terminal', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { name, ssh, serve } = await makeSshSetup(bed);
  await serve(`printf "\\033]0;title\\007\\033[2Jbad" >&2; exit 3`);
  const result = await ssh([name, 'true']);
  assert.equal(result.status, 255);
  assert.match(result.stderr, /the SSH server of \S+ exited: \\x1b\]0;title\\x07\\x1b\[2Jbad/);
  assert.ok(!result.stderr.includes('\u001b'));
});

test('work over ssh is not reported as a reverse shell', { timeout }, async () => {
  await using bed = await makeBed();
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory);
  await writeFile(join(directory, 'config.toml'), '[monitoring]\nenabled = true\n');
  for (const path of [directory, join(directory, 'config.toml')])
    await chown(path, bed.user.uid, bed.user.gid);
  const { name, ssh, serve } = await makeSshSetup(bed);
  await serve('exec $real "$@"');
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const forwarded = ['-L', `127.0.0.1:${port}:127.0.0.1:3000`];
  const work = ssh([
    ...forwarded,
    name,
    'bash -c "for i in 1 2 3 4 5 6 7 8; do sleep 1; ls /; done"',
  ]);
  const server = bed.coi([
    ...['container', 'exec', name, '--', 'python3', '-c'],
    `
import socket, time
server = socket.create_server(('127.0.0.1', 3000))
time.sleep(8)`,
  ]);
  const through = ssh(['-W', '127.0.0.1:3000', name]);
  const shell = ssh([name, 'bash -i 2>&1 <<< "sleep 8"']);
  const worked = await work;
  assert.equal(worked.status, 0, worked.stderr);
  await Promise.allSettled([server, through, shell]);
  const { active_containers: rows } = JSON.parse((await bed.coi(['list', '--json'])).stdout);
  assert.deepEqual([rows[0].status, rows[0].alert], ['Running', undefined]);
});
