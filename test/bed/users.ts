// Temporary users of the host, each with a home under /tmp, and how to run programs as them.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import {
  type CommandOptions,
  type CommandResult,
  mustRun,
  type RunningCommand,
  startCommand,
} from './command.ts';
import { newAccountName, testPrefix } from './prefix.ts';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** All that programs of this user find in their environment: HOME, USER, PATH, TERM and the locale. */
  readonly env: Readonly<Record<string, string>>;
  /** The same command, run as this user: the process id stays that of the command. */
  argv(command: readonly string[]): string[];
  /** Runs a command in the clean environment; `options.env` adds to it. The working directory is the home. */
  run(command: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  start(command: readonly string[], options?: CommandOptions): RunningCommand;
  /** Removes the home, and the account if it was made here. */
  remove(): Promise<void>;
}

export interface UserOptions {
  /** A free one from 20000 upwards where none is given. */
  readonly uid?: number;
  /** Ordinary users of coi are in it; `false` makes an account without any right in Incus. */
  readonly incusAdmin?: boolean;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface FreeAccount extends Account {
  /** As in /etc/passwd, so the next one's is made there again. */
  readonly home: string;
}

/** Accounts of removed users, for the next ones of this process: making and removing one is half a second of waiting for the disk. */
const free: FreeAccount[] = [];
process.on('exit', () => {
  for (const { name } of free) spawnSync('userdel', [name]);
});

/** Makes an ordinary user in group incus-admin (needs root). Undo with `remove`. */
export async function makeUser(options: UserOptions = {}): Promise<TestUser> {
  const known = options.uid === undefined ? free.pop() : undefined;
  if (known) {
    await mkdir(known.home, { mode: 0o700 });
    return inHome(known, known.home, options.incusAdmin ?? true, () => setFree(known));
  }
  const home = await newHome();
  const name = newAccountName();
  const uid = options.uid ?? randomInt(20_000, 30_000);
  try {
    await mustRun([
      'useradd',
      // Nothing of theirs needs ranges of ids, and many accounts would use them up.
      ...['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0'],
      '--uid',
      String(uid),
      '--user-group',
      '--no-create-home',
      '--home-dir',
      home,
      '--shell',
      '/bin/bash',
      name,
    ]);
    const gid = (await account((entry) => entry.name === name))?.gid ?? uid;
    const made = { name, uid, gid, home };
    const removeAccount = async () => {
      if (options.uid === undefined) return setFree(made);
      await killAllOf(uid);
      await mustRun(['userdel', name]);
    };
    return await inHome(made, home, options.incusAdmin ?? true, removeAccount);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function setFree(account: FreeAccount): Promise<void> {
  await killAllOf(account.uid);
  free.push(account);
}

/** The user of a given uid: made if the uid is free, else the existing account is borrowed, with another home, and stays. */
export async function userOfUid(
  uid: number,
  options: Omit<UserOptions, 'uid'> = {},
): Promise<TestUser> {
  const existing = await account((entry) => entry.uid === uid);
  if (existing === undefined) return makeUser({ ...options, uid });
  return inHome(existing, await newHome(), options.incusAdmin ?? true, async () => undefined);
}

/** Host root with a home of its own under /tmp. */
export async function rootUser(): Promise<TestUser> {
  return inHome({ name: 'root', uid: 0, gid: 0 }, await newHome(), false, async () => undefined);
}

async function newHome(): Promise<string> {
  return mkdtemp(`/tmp/${testPrefix}-home-`);
}

async function inHome(
  who: Account,
  home: string,
  incusAdmin: boolean,
  removeAccount: () => Promise<void>,
): Promise<TestUser> {
  await chown(home, who.uid, who.gid);
  const groups = incusAdmin ? [who.gid, await groupId('incus-admin')] : [who.gid];
  const env = {
    HOME: home,
    USER: who.name,
    LOGNAME: who.name,
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    SHELL: '/bin/bash',
  };
  // setpriv replaces itself by the command, so a signal to the process id reaches it.
  const drop = [
    'setpriv',
    `--reuid=${who.uid}`,
    `--regid=${who.gid}`,
    `--groups=${groups.join(',')}`,
    '--',
  ];
  const argv = (command: readonly string[]) =>
    who.uid === 0 ? [...command] : [...drop, ...command];
  const start = (command: readonly string[], options: CommandOptions = {}) =>
    startCommand(argv(command), { cwd: home, ...options, env: { ...env, ...options.env } });
  return {
    ...who,
    home,
    env,
    argv,
    start,
    run: (command, options) => start(command, options).result,
    remove: async () => {
      await rm(home, { recursive: true, force: true });
      await removeAccount();
    },
  };
}

/** What an account that is about to go still runs, because a test failed half-way. */
async function killAllOf(uid: number): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const owner = (await stat(`/proc/${pid}`).catch(() => undefined))?.uid;
    if (owner !== uid) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

async function account(wanted: (entry: Account) => boolean): Promise<Account | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => line !== '');
  const entries = lines
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  return entries.find(wanted);
}

async function groupId(name: string): Promise<number> {
  const line = (await readFile('/etc/group', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const gid = line?.split(':')[2];
  if (gid === undefined) throw new Error(`no group ${name}: run \`coi setup\` first`);
  return Number(gid);
}
