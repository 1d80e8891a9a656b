// ~/.coi/ssh: the user's key for sessions, what ssh knows of them, and their blocks. Changed by one process at a time.
import { randomBytes } from 'node:crypto';
import { CoiError } from '../errors.ts';
import { type Directory, hostFiles } from '../host/fs/host-files.ts';
import { loadLibc } from '../host/linux/load-libc.ts';
import { whileLocked } from '../host/process/process-lock.ts';
import {
  knownHosts,
  type SshHost,
  sshFiles,
  sshPlace,
  withBlock,
} from '../session/terminal/ssh-config.ts';
import { hostSeed, privateKey, publicKey, seedOf } from '../session/terminal/ssh-keys.ts';
import type { AppContext } from './context.ts';

const lockMs = 10_000;
const keyMaxBytes = 64 * 1024;
const configMaxBytes = 4 * 1024 * 1024;
const comment = 'coi';

/** The user's secret for sessions; undefined if there is none yet. Throws `failed` for a file that is none of coi's. */
export function userSeed(home: string): Buffer | undefined {
  using directory = hostFiles.open(`${home}/${sshPlace}`);
  return directory && readSeed(directory);
}

/** Makes what is missing, and writes down the keys of those sessions; with `write` the block, too. */
export async function refreshPlace(
  app: AppContext,
  host: SshHost,
  sessions: ReadonlySet<string>,
  write: boolean,
): Promise<void> {
  const { home, uid, gid } = app.user;
  const owner = { uid, gid };
  using user = hostFiles.open(home);
  // The user may keep ~/.coi elsewhere, as a link.
  using kept = hostFiles.open(`${home}/.coi`) ?? user?.makeDirectory('.coi', { owner });
  using place = kept?.makeDirectory('ssh', { owner, mode: 0o700 });
  if (!place) throw new CoiError('failed', `${home} cannot be opened`);
  const limit = AbortSignal.any([app.signal, AbortSignal.timeout(lockMs)]);
  const done = await whileLocked(await loadLibc(), `${place.realPath()}/lock`, limit, () => {
    const seed = readSeed(place) ?? made(place, owner);
    const keyOf = (session: string) => publicKey(hostSeed(seed, session));
    place.write(sshFiles.knownHosts, knownHosts(sessions, keyOf), { owner });
    if (!write) return;
    const before = place.read(sshFiles.config, { maxBytes: configMaxBytes })?.text ?? '';
    place.write(sshFiles.config, withBlock(before, host, sessions), { owner });
  });
  app.signal.throwIfAborted();
  if (!done)
    throw new CoiError('timeout', `another coi has been at ~/${sshPlace} for ${lockMs / 1000} s`, {
      hint: 'See whether one hangs, and try again.',
    });
}

function made(place: Directory, owner: { uid: number; gid: number }): Buffer {
  const seed = randomBytes(32);
  place.write(sshFiles.key, privateKey(seed, comment), { owner });
  place.write(`${sshFiles.key}.pub`, `${publicKey(seed)} ${comment}\n`, { owner, mode: 0o644 });
  return seed;
}

function readSeed(place: Directory): Buffer | undefined {
  const text = place.read(sshFiles.key, { maxBytes: keyMaxBytes })?.text;
  if (text === undefined) return undefined;
  const seed = seedOf(text);
  if (seed) return seed;
  throw new CoiError('failed', `~/${sshPlace}/${sshFiles.key} is no key that coi made`, {
    hint: 'Remove it; `coi ssh-config` makes a new one.',
  });
}
