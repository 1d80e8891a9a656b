// A real SSH agent of a test user.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestUser } from '../bed/users.ts';

export interface SshAgent extends AsyncDisposable {
  readonly socket: string;
}

/** With one key, `NAME` and `NAME.pub` in the home, whose comment is its name. */
export async function startSshAgent(user: TestUser, name: string): Promise<SshAgent> {
  const socket = `${user.home}/${name}.sock`;
  const [file = '', ...args] = user.argv(['ssh-agent', '-D', '-a', socket]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...user.env } });
  await once(child.stdout, 'data');
  const run = async (...argv: string[]) => {
    const result = await user.run(argv, { env: { SSH_AUTH_SOCK: socket } });
    assert.equal(result.status, 0, result.stderr);
  };
  await run(
    'ssh-keygen',
    '-q',
    '-t',
    'ed25519',
    '-N',
    '',
    '-C',
    name,
    '-f',
    `${user.home}/${name}`,
  );
  await run('ssh-add', '-q', `${user.home}/${name}`);
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}
