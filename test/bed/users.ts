// Temporary host users, each with a home under /tmp, and functions to run programs as them.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import {
  type CommandOptions,
  type CommandResult,
  mustRun,
  type RunningCommand,
  runCommand,
  startCommand,
} from './command.ts';
import { newAccountName, testPrefix } from './prefix.ts';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The complete environment of this user's programs: HOME, USER, PATH, TERM and the locale. */
  readonly env: Readonly<Record<string, string>>;
  /** The command wrapped to run as this user, with the same process id. */
  argv(command: readonly string[]): string[];
  /** Runs a command in the clean environment plus `options.env`, by default in the home. */
  run(command: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  start(command: readonly string[], options?: CommandOptions): RunningCommand;
  /** Removes the home, and the account if it was created here. */
  remove(): Promise<void>;
}

export interface UserOptions {
  /** Default: a free one from 20000 upwards. */
  readonly uid?: number;
  /** True for ordinary users of coi; `false` makes an account without access to Incus. */
  readonly incusAdmin?: boolean;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface FreeAccount extends Account {
  /** As in /etc/passwd, so the next user's home is created there again. */
  readonly home: string;
}

interface AccountRemoval {
  readonly endProcesses: () => Promise<void>;
  readonly removeAccount: () => Promise<void>;
}

/** Of an account that is not ours. */
const borrowed: AccountRemoval = {
  endProcesses: async () => undefined,
  removeAccount: async () => undefined,
};

/** Exit status of useradd(8). */
const uidInUse = 4;

/** Accounts of removed users, for reuse in this process: creating and removing one takes half a second. */
const free: FreeAccount[] = [];
/** Accounts created here that exist, in use or not. */
const made = new Set<string>();
process.on('exit', () => {
  for (const name of made) spawnSync('userdel', [name]);
});

/** Makes an ordinary user in group incus-admin (needs root). Undo with `remove`. */
export async function makeUser(options: UserOptions = {}): Promise<TestUser> {
  const known = options.uid === undefined ? free.pop() : undefined;
  if (known) {
    await mkdir(known.home, { mode: 0o700 });
    return userInHome(known, known.home, options.incusAdmin ?? true, {
      endProcesses: () => killProcessesOf(known.uid),
      removeAccount: async () => void free.push(known),
    });
  }
  const home = await newHome();
  const name = newAccountName();
  try {
    const uid = await addAccount(name, home, options.uid);
    made.add(name);
    const gid = (await account((entry) => entry.name === name))?.gid ?? uid;
    const one = { name, uid, gid, home };
    const removeAccount = async () => {
      if (options.uid === undefined) return void free.push(one);
      await mustRun(['userdel', name]);
      made.delete(name);
    };
    const endProcesses = () => killProcessesOf(uid);
    return await userInHome(one, home, options.incusAdmin ?? true, { endProcesses, removeAccount });
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/** Returns the account's uid. Without `wanted` it is a free one: other tests create accounts at the same time. */
async function addAccount(name: string, home: string, wanted?: number): Promise<number> {
  for (;;) {
    const uid = wanted ?? randomInt(20_000, 30_000);
    const { status, stderr } = await runCommand([
      'useradd',
      // They need no id ranges, and many accounts would use them up.
      ...['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0'],
      ...['--uid', String(uid), '--user-group', '--no-create-home'],
      ...['--home-dir', home, '--shell', '/bin/bash', name],
    ]);
    if (status === 0) return uid;
    if (status !== uidInUse || wanted !== undefined)
      throw new Error(`useradd ${name} failed with status ${status}: ${stderr}`);
  }
}

/** The user with a given uid: created if the uid is free, else the existing account is borrowed with another home. */
export async function userOfUid(
  uid: number,
  options: Omit<UserOptions, 'uid'> = {},
): Promise<TestUser> {
  const existing = await account((entry) => entry.uid === uid);
  if (existing === undefined) return makeUser({ ...options, uid });
  return userInHome(existing, await newHome(), options.incusAdmin ?? true, borrowed);
}

/** Host root with a separate home under /tmp. */
export async function rootUser(): Promise<TestUser> {
  return userInHome({ name: 'root', uid: 0, gid: 0 }, await newHome(), false, borrowed);
}

async function newHome(): Promise<string> {
  return mkdtemp(`/tmp/${testPrefix}-home-`);
}

async function userInHome(
  who: Account,
  home: string,
  incusAdmin: boolean,
  { endProcesses, removeAccount }: AccountRemoval,
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
  // setpriv execs the command, so a signal to the process id reaches it.
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
      // A program that coid started, and that has not noticed its end yet, could still write into the home.
      await endProcesses();
      await rm(home, { recursive: true, force: true });
      await removeAccount();
    },
  };
}

/** Kills remaining processes of an account that is being removed. */
async function killProcessesOf(uid: number): Promise<void> {
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
