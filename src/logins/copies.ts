// Reads and writes the copies of a tool's logins, in the user's home and in session stores. An agent may have put
// anything into a store: links are not followed there, and anything but a small regular file contains no login.
import type { Directory, HostFiles, Owner } from '../host/fs/host-files.ts';
import { openCoiDirectory } from './coi-directory.ts';
import { jsonIn, type Login, type LoginFile, type Logins } from './formats/login.ts';
import { hashOf } from './login-status.ts';
import { type LoginMemory, memoryMaxBytes, memoryPath, memoryText, parseMemory } from './memory.ts';

const fileMaxBytes = 16 * 2 ** 20;
const storeMaxBytes = 2 ** 20;

const nothing: Logins = { logins: new Map(), blank: new Set() };

type Problem = NonNullable<ReturnType<HostFiles['asFileError']>>;

/** Calls `note` for a login file that cannot be used. */
export function readHostLogins(
  file: LoginFile,
  home: string,
  files: HostFiles,
  note?: (message: string) => void,
): Logins {
  const text = (path: string | undefined, noted?: (problem: Problem) => void) =>
    path === undefined
      ? undefined
      : tryRead(
          files,
          () => files.readUserFile(home, path, { maxBytes: fileMaxBytes })?.text,
          noted,
        );
  const main = text(file.path, ({ message }) => note?.(message));
  if (isBroken(main)) note?.(`${home}/${file.path} is not a JSON object`);
  return file.read({ main, account: text(file.account?.host) });
}

export function readStoreLogins(file: LoginFile, store: Directory, files: HostFiles): Logins {
  const text = (path: string | undefined, maxBytes: number) =>
    path === undefined ? undefined : tryRead(files, () => store.read(path, { maxBytes })?.text);
  const main = text(file.path, storeMaxBytes);
  if (main === undefined) return nothing;
  return file.read({ main, account: text(file.account?.store, storeMaxBytes) });
}

/** Writes logins to a session's store. Throws FileError if the agent replaced the file by a directory. */
export function writeToStore(
  file: LoginFile,
  store: Directory,
  logins: readonly Login[],
  files: HostFiles,
  dropped: Iterable<string> = [],
): void {
  const state = file.path.slice(0, file.path.lastIndexOf('/'));
  using directory = store.openDirectory(state);
  // Not, or no longer, a session's store.
  if (!directory) return;
  const { uid, gid } = directory.stat();
  const owner: Owner = { uid, gid };
  const before = tryRead(files, () => store.read(file.path, { maxBytes: storeMaxBytes })?.text);
  const after = withLogins(file, before, logins, dropped);
  if (after !== undefined && after !== before)
    store.write(file.path, after, { owner, durable: false });
  const { account, putProfile } = file;
  const profile = logins.find((login) => login.profile)?.profile;
  if (!account || !putProfile || !profile) return;
  let isBig = false;
  const accountBefore = tryRead(
    files,
    () => store.read(account.store, { maxBytes: storeMaxBytes })?.text,
    ({ reason }) => {
      isBig = reason === 'too-big';
    },
  );
  // Other data of the tool in this file would be lost.
  if (isBig || namesAccount(file, after, accountBefore, logins)) return;
  const named = unlessDeep(accountBefore, (text) => putProfile(text, profile));
  store.write(account.store, named, { owner, durable: false });
}

function withLogins(
  file: LoginFile,
  before: string | undefined,
  logins: readonly Login[],
  dropped: Iterable<string>,
): string | undefined {
  return unlessDeep(before, (text) => {
    const rest = [...dropped].reduce<string | undefined>((one, id) => file.drop(one, id), text);
    return logins.reduce<string | undefined>((one, login) => file.put(one, login), rest);
  });
}

/** JSON written by an agent may be nested too deeply to be written again: it is treated as invalid. */
function unlessDeep<T>(text: string | undefined, change: (text: string | undefined) => T): T {
  try {
    return change(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return change(undefined);
  }
}

/**
 * `busy`: the tool is changing its file, or has changed it since it was read. `broken`: the file is not valid JSON.
 * Neither writes.
 */
export type WriteResult = 'done' | 'busy' | 'broken';

export interface HostChange {
  readonly owner: Owner;
  readonly nowMs: number;
  readonly files: HostFiles;
  /** The host's logins that the decision is based on. */
  readonly seen: Logins;
}

/** Writes logins to the user's own files. Throws FileError. */
export function writeToHost(
  file: LoginFile,
  home: string,
  logins: readonly Login[],
  change: HostChange,
): WriteResult {
  const { owner, nowMs, files } = change;
  const ids = logins.map(({ id }) => id);
  const put = (text: string | undefined) =>
    logins.reduce<string | undefined>((one, login) => file.put(one, login), text);
  const { result, text: written } = changeHost(file, home, ids, put, change);
  if (result !== 'done') return result;
  const { account, putProfile } = file;
  const profile = logins.find((login) => login.profile)?.profile;
  if (!account || !putProfile || !profile) return result;
  const done = files.changeUserFile(
    home,
    account.host,
    (text) =>
      namesAccount(file, written, text, logins) || isBroken(text)
        ? text
        : putProfile(text, profile),
    { maxBytes: fileMaxBytes, owner, ...(account.lock && { lock: { ...account.lock, nowMs } }) },
  );
  return done ? 'done' : 'busy';
}

/** Removes a login from the user's own file. Throws FileError. */
export function removeFromHost(
  file: LoginFile,
  home: string,
  id: string,
  change: HostChange,
): WriteResult {
  return changeHost(file, home, [id], (text) => file.drop(text, id), change).result;
}

function changeHost(
  file: LoginFile,
  home: string,
  ids: readonly string[],
  changed: (text: string | undefined) => string | undefined,
  { owner, nowMs, files, seen }: HostChange,
): { readonly result: WriteResult; readonly text?: string | undefined } {
  const lock = file.lock && { ...file.lock, nowMs };
  let result: WriteResult = 'done';
  let after: string | undefined;
  const done = files.changeUserFile(
    home,
    file.path,
    (text) => {
      const { logins } = file.read({ main: text });
      const isOther = (id: string) => hashIn(logins, id) !== hashIn(seen.logins, id);
      result = isBroken(text) ? 'broken' : ids.some(isOther) ? 'busy' : 'done';
      after = result === 'done' ? changed(text) : text;
      return after;
    },
    { maxBytes: fileMaxBytes, owner, ...(lock && { lock }) },
  );
  return done ? { result, text: after } : { result: 'busy' };
}

function hashIn(logins: Logins['logins'], id: string): string | undefined {
  const login = logins.get(id);
  return login && hashOf(login);
}

export function loadMemory(file: LoginFile, home: string, files: HostFiles): LoginMemory {
  return parseMemory(
    tryRead(files, () => {
      using directory = files.open(`${home}/.coi`);
      return directory?.read(memoryPath(file.tool), { maxBytes: memoryMaxBytes })?.text;
    }),
  );
}

export function saveMemory(
  file: LoginFile,
  home: string,
  memory: LoginMemory,
  { owner, files }: { owner: Owner; files: HostFiles },
): void {
  using directory = openCoiDirectory(home, owner, files);
  if (!directory) return;
  const options = { maxBytes: fileMaxBytes, owner };
  files.changeUserFile(
    directory.realPath(),
    memoryPath(file.tool),
    () => memoryText(memory),
    options,
  );
}

/** Whether the account file already names the account of these logins. */
function namesAccount(
  file: LoginFile,
  main: string | undefined,
  account: string | undefined,
  logins: readonly Login[],
): boolean {
  const found = file.read({ main, account }).logins;
  return logins.every(({ id, account: wanted }) => found.get(id)?.account === wanted);
}

/** Such a file must not be overwritten: the user has to check it first. */
function isBroken(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '' && jsonIn(text) === undefined;
}

/** Undefined if the file cannot be read. */
function tryRead(
  files: HostFiles,
  read: () => string | undefined,
  note?: (problem: Problem) => void,
): string | undefined {
  try {
    return read();
  } catch (error) {
    const problem = files.asFileError(error);
    if (!problem) throw error;
    note?.(problem);
    return undefined;
  }
}
