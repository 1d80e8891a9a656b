// Reading and writing the copies of a tool's logins: in the user's home, and in the stores of sessions, where an agent
// may have left anything: no link is followed there, and what is no regular file of a small size holds nothing.
import type { Directory, HostFiles, Owner } from '../host/files.ts';
import { jsonIn, type Login, type LoginFile, type Logins } from './login.ts';
import { type Memory, memoryPath, memoryText, readMemory } from './memory.ts';

const fileMaxBytes = 16 * 2 ** 20;
const storeMaxBytes = 2 ** 20;

const nothing: Logins = { logins: new Map(), blank: new Set() };

export function hostLogins(file: LoginFile, home: string, files: HostFiles): Logins {
  const text = (path: string | undefined) =>
    path === undefined
      ? undefined
      : readable(files, () => files.readUserFile(home, path, { maxBytes: fileMaxBytes })?.text);
  return file.read({ main: text(file.path), account: text(file.account?.host) });
}

export function storeLogins(file: LoginFile, store: Directory, files: HostFiles): Logins {
  const text = (path: string | undefined, maxBytes: number) =>
    path === undefined ? undefined : readable(files, () => store.read(path, { maxBytes })?.text);
  const main = text(file.path, storeMaxBytes);
  if (main === undefined) return nothing;
  return file.read({ main, account: text(file.account?.store, fileMaxBytes) });
}

/** Puts logins into a session's store. Throws FileError where the agent left a directory in the place of the file. */
export function giveToStore(
  file: LoginFile,
  store: Directory,
  logins: readonly Login[],
  files: HostFiles,
  dropped: Iterable<string> = [],
): void {
  const state = file.path.slice(0, file.path.lastIndexOf('/'));
  using directory = store.directory(state);
  // Not a session's (any more).
  if (!directory) return;
  const { uid, gid } = directory.stat();
  const owner: Owner = { uid, gid };
  const before = readable(files, () => store.read(file.path, { maxBytes: storeMaxBytes })?.text);
  const rest = [...dropped].reduce<string | undefined>((text, id) => file.drop(text, id), before);
  const after = logins.reduce<string | undefined>((text, login) => file.put(text, login), rest);
  if (after !== undefined && after !== before)
    store.write(file.path, after, { owner, durable: false });
  const { account, putProfile } = file;
  const profile = logins.find((login) => login.profile)?.profile;
  if (!account || !putProfile || !profile) return;
  const accountBefore = readable(
    files,
    () => store.read(account.store, { maxBytes: fileMaxBytes })?.text,
  );
  if (sameAccount(file, after, accountBefore, logins)) return;
  store.write(account.store, putProfile(accountBefore, profile), { owner, durable: false });
}

/** Puts logins into the user's own files. False if the tool is about to change them itself. Throws FileError. */
export function giveToHost(
  file: LoginFile,
  home: string,
  logins: readonly Login[],
  { owner, nowMs, files }: { owner: Owner; nowMs: number; files: HostFiles },
): boolean {
  const lock = file.lock && { ...file.lock, nowMs };
  let written: string | undefined;
  const done = files.changeUserFile(
    home,
    file.path,
    (text) => {
      if (isBroken(text)) return text;
      written = logins.reduce<string | undefined>((one, login) => file.put(one, login), text);
      return written;
    },
    { maxBytes: fileMaxBytes, owner, ...(lock && { lock }) },
  );
  if (!done) return false;
  const { account, putProfile } = file;
  const profile = logins.find((login) => login.profile)?.profile;
  if (account && putProfile && profile)
    files.changeUserFile(
      home,
      account.host,
      (text) =>
        sameAccount(file, written, text, logins) || isBroken(text)
          ? text
          : putProfile(text, profile),
      { maxBytes: fileMaxBytes, owner },
    );
  return true;
}

export function memoryOf(file: LoginFile, home: string, files: HostFiles): Memory {
  return readMemory(
    readable(
      files,
      () => files.readUserFile(home, memoryPath(file.tool), { maxBytes: storeMaxBytes })?.text,
    ),
  );
}

export function remember(
  file: LoginFile,
  home: string,
  memory: Memory,
  { owner, files }: { owner: Owner; files: HostFiles },
): void {
  const options = { maxBytes: fileMaxBytes, owner };
  files.changeUserFile(home, memoryPath(file.tool), () => memoryText(memory), options);
}

/** Takes a login out of the user's own file. */
export function dropFromHost(
  file: LoginFile,
  home: string,
  id: string,
  { owner, files }: { owner: Owner; files: HostFiles },
): void {
  const options = { maxBytes: fileMaxBytes, owner };
  files.changeUserFile(home, file.path, (text) => file.drop(text, id), options);
}

/** Whether the account's file names the one of these logins already. */
function sameAccount(
  file: LoginFile,
  main: string | undefined,
  account: string | undefined,
  logins: readonly Login[],
): boolean {
  const found = file.read({ main, account }).logins;
  return logins.every(({ id, account: wanted }) => found.get(id)?.account === wanted);
}

/** What the user has to look at first: it would be written anew. */
function isBroken(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '' && jsonIn(text) === undefined;
}

/** Undefined for what is not read. */
function readable(files: HostFiles, read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    if (!files.problem(error)) throw error;
    return undefined;
  }
}
