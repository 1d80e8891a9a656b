// ~/.coi/ssh: the user's key for sessions, their host keys and their config blocks. Changed by one process at a time.
import { randomBytes } from 'node:crypto';
import { CoiError } from '../errors.ts';
import { type Directory, hostFiles } from '../host/fs/host-files.ts';
import { loadLibc } from '../host/linux/load-libc.ts';
import { withLock } from '../host/process/process-lock.ts';
import {
  knownHosts,
  type SshHost,
  sshDirectory,
  sshFiles,
  withBlock,
} from '../session/terminal/ssh-config.ts';
import { hostSeed, parseSeed, privateKey, publicKey } from '../session/terminal/ssh-keys.ts';
import type { AppContext } from './context.ts';

const lockMs = 10_000;
const keyMaxBytes = 64 * 1024;
const configMaxBytes = 4 * 1024 * 1024;
const comment = 'coi';

/** The user's secret for sessions; undefined if there is none yet. Throws `failed` for a key that coi did not make. */
export function userSeed(home: string): Buffer | undefined {
  using directory = hostFiles.open(`${home}/${sshDirectory}`);
  return directory && readSeed(directory);
}

/** Creates missing files and records the host keys of the sessions; with `write` also their config block. */
export async function refreshSshDirectory(
  app: AppContext,
  host: SshHost,
  sessions: ReadonlySet<string>,
  write: boolean,
): Promise<void> {
  const { home, uid, gid } = app.user;
  const owner = { uid, gid };
  using user = hostFiles.open(home);
  // ~/.coi may be a link that the user made.
  using coiDirectory = hostFiles.open(`${home}/.coi`) ?? user?.makeDirectory('.coi', { owner });
  using directory = coiDirectory?.makeDirectory('ssh', { owner, mode: 0o700 });
  if (!directory) throw new CoiError('failed', `${home} cannot be opened`);
  const limit = AbortSignal.any([app.signal, AbortSignal.timeout(lockMs)]);
  const done = await withLock(await loadLibc(), `${directory.realPath()}/lock`, limit, () => {
    const seed = readSeed(directory) ?? createKey(directory, owner);
    const keyOf = (session: string) => publicKey(hostSeed(seed, session));
    directory.write(sshFiles.knownHosts, knownHosts(sessions, keyOf), { owner });
    if (!write) return;
    const before = directory.read(sshFiles.config, { maxBytes: configMaxBytes })?.text ?? '';
    directory.write(sshFiles.config, withBlock(before, host, sessions), { owner });
  });
  app.signal.throwIfAborted();
  if (!done)
    throw new CoiError(
      'timeout',
      `another coi has locked ~/${sshDirectory} for ${lockMs / 1000} s`,
      {
        hint: 'Check for a coi that hangs, then try again.',
      },
    );
}

function createKey(directory: Directory, owner: { uid: number; gid: number }): Buffer {
  const seed = randomBytes(32);
  directory.write(sshFiles.key, privateKey(seed, comment), { owner });
  directory.write(`${sshFiles.key}.pub`, `${publicKey(seed)} ${comment}\n`, { owner, mode: 0o644 });
  return seed;
}

function readSeed(directory: Directory): Buffer | undefined {
  const text = directory.read(sshFiles.key, { maxBytes: keyMaxBytes })?.text;
  if (text === undefined) return undefined;
  const seed = parseSeed(text);
  if (seed) return seed;
  throw new CoiError('failed', `~/${sshDirectory}/${sshFiles.key} is not a key that coi made`, {
    hint: 'Remove it; `coi ssh-config` creates a new one.',
  });
}
