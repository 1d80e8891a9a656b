// An sshd of an ordinary user in a network namespace, serving a git repository. The program comes from the
// host's package, unpacked separately: installing it would start a service.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { mustRun } from '../bed/command.ts';
import { type Enclave, openEnclave } from '../bed/enclave.ts';
import { testPrefix } from '../bed/prefix.ts';
import type { TestUser } from '../bed/users.ts';

export interface GitServer extends AsyncDisposable {
  /** URL of a repository with one commit, for clients with the authorized key. */
  readonly url: string;
}

const port = 2222;

export async function openGitServer(user: TestUser, publicKey: string): Promise<GitServer> {
  await using undo = new AsyncDisposableStack();
  const enclave: Enclave = undo.use(await openEnclave());
  const { program, libraries } = await sshdProgram(undo);
  const home = `${user.home}/sshd`;
  const run = async (...argv: string[]) => {
    const result = await user.run(argv);
    if (result.status !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
  };
  await run('mkdir', home);
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${home}/host`);
  await run('git', 'init', '-q', '--bare', '--initial-branch=main', `${home}/repo.git`);
  await run('cp', publicKey, `${home}/authorized`);
  const config = [
    ...[`Port ${port}`, `ListenAddress ${enclave.address}`, `HostKey ${home}/host`],
    ...[
      'UsePAM no',
      'StrictModes no',
      `PidFile ${home}/pid`,
      `AuthorizedKeysFile ${home}/authorized`,
    ],
  ];
  await writeFile(`${home}/config`, `${config.join('\n')}\n`);
  const [file = '', ...args] = [
    ...['ip', 'netns', 'exec', enclave.namespace],
    ...user.argv([program, '-D', '-e', '-f', `${home}/config`]),
  ];
  const child: ChildProcess = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: { ...user.env, LD_LIBRARY_PATH: libraries },
  });
  undo.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  await untilListening(child);
  const resources = undo.move();
  return {
    url: `ssh://${user.name}@${enclave.address}:${port}${home}/repo.git`,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function sshdProgram(
  undo: AsyncDisposableStack,
): Promise<{ program: string; libraries: string }> {
  if (existsSync('/usr/sbin/sshd')) return { program: '/usr/sbin/sshd', libraries: '' };
  const directory = await mkdtemp(`/tmp/${testPrefix}-sshd-`);
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  await mustRun(['chmod', '777', directory]);
  await mustRun(['apt-get', 'download', '-qq', 'openssh-server', 'libwrap0'], { cwd: directory });
  for (const name of await readdir(directory))
    await mustRun(['dpkg', '-x', `${directory}/${name}`, directory]);
  await mustRun(['chmod', '755', directory]);
  const lib = `${directory}/usr/lib`;
  const libraries = (await readdir(lib)).map((name) => `${lib}/${name}`).join(':');
  return { program: `${directory}/usr/sbin/sshd`, libraries };
}

function untilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let result = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      result += String(chunk);
      if (result.includes('Server listening')) resolve();
    });
    child.once('exit', (status) => reject(new Error(`sshd ended with ${status}: ${result}`)));
  });
}
