// A login from before its user joined a group lacks that group's rights; sg(1) gives them to a new process.
import { accessSync, constants, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { CoiError } from '../../errors.ts';
import { shellQuoteIfNeeded } from '../../shell-quoting.ts';
import { argumentsToEnvironment } from './command-line.ts';
import { selfArgv } from './self.ts';

/** Set in the process that was restarted with the group, so that this is tried only once. */
const guardName = 'COI_GROUP_ENTERED';
const sgPath = '/usr/bin/sg';
/** A quarter of Linux's 8 MiB stack limit, minus a reserve for sg. Source: execve(2). */
const givenMaxBytes = 1_900_000;

export interface GroupFacts {
  /** This process's access to the socket. */
  readonly access: 'open' | 'refused' | 'missing';
  /** The user is a member according to group(5). */
  readonly member: boolean;
  /** The process was already restarted through sg. */
  readonly entered: boolean;
  readonly hasSg: boolean;
}

/** `go`: continue. `enter`: restart through sg. `join`: the user is not a member. `login`: the user must log in again. */
export function groupDecision({
  access,
  member,
  entered,
  hasSg,
}: GroupFacts): 'go' | 'enter' | 'join' | 'login' {
  // A missing socket is reported where it is needed.
  if (access !== 'refused') return 'go';
  if (!member) return 'join';
  return entered || !hasSg ? 'login' : 'enter';
}

/**
 * The argv that runs a program with an additional group and the same primary group: sg makes the new group the primary
 * one and the old one supplementary, so a second sg swaps them back. New files keep the user's primary group.
 */
export function sgArguments(
  group: string,
  primary: string | undefined,
  argv: readonly string[],
): string[] {
  const program = `exec ${argv.map(shellQuoteIfNeeded).join(' ')}`;
  const inner =
    primary === undefined
      ? program
      : `exec ${[sgPath, primary, '-c', program].map(shellQuoteIfNeeded).join(' ')}`;
  return [sgPath, group, '-c', inner];
}

/** From the text of group(5): whether the user is in the group of that name, and the name of the group with that id. */
export function readGroups(
  text: string,
  name: string,
  primaryGid: number,
  user: string,
): { member: boolean; primary: string | undefined } {
  const entries = text.split('\n').map((line) => line.split(':'));
  const members = entries.find(([entry]) => entry === name)?.[3]?.split(',') ?? [];
  const primary = entries.find(
    ([, , gid]) => gid !== undefined && gid !== '' && Number(gid) === primaryGid,
  )?.[0];
  return { member: members.includes(user), primary };
}

/**
 * Ensures that this process may open a socket that belongs to a group. If restarting through sg helps, it replaces the
 * process and does not return; otherwise it throws `incus-forbidden`.
 */
export function enterGroupFor(socketPath: string, group: string, process: NodeJS.Process): void {
  const access = accessTo(socketPath);
  if (access !== 'refused') return;
  const { username } = userInfo();
  const groups = readGroups(
    readFileSync('/etc/group', 'utf8'),
    group,
    process.getgid?.() ?? -1,
    username,
  );
  const entered = process.env[guardName] === '1';
  switch (groupDecision({ access, member: groups.member, entered, hasSg: isExecutable(sgPath) })) {
    case 'go':
      return;
    case 'enter': {
      // sg stays as the parent, and every account can read its arguments as long as the session runs.
      const argv = sgArguments(group, groups.primary, selfArgv(process));
      const words = argumentsToEnvironment(process.argv.slice(2));
      const env = { ...process.env, ...words, [guardName]: '1' };
      refuseTooLarge(argv, env);
      // Replaced, not wrapped, so that signals, the terminal and the exit status pass through.
      process.execve?.(sgPath, argv, env);
      return;
    }
    case 'join':
      throw new CoiError(
        'incus-forbidden',
        `${username} may not talk to Incus: not a member of the group ${group}`,
        {
          hint: `sudo usermod -aG ${group} ${username}`,
        },
      );
    case 'login':
      throw new CoiError('incus-forbidden', `this login does not have the group ${group} yet`, {
        hint: 'Log out and in again.',
      });
  }
}

/** Node aborts if execve fails, so the kernel's limit for arguments and environment is checked before. */
function refuseTooLarge(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  const texts = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 9, 0);
  if (bytes <= givenMaxBytes) return;
  throw new CoiError('usage', 'the command line and the environment are too large for sg', {
    hint: 'Log out and in again, so that sg is not needed, or use --env-file.',
  });
}

function accessTo(path: string): GroupFacts['access'] {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return 'open';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'refused' : 'missing';
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Missing or not executable.
    return false;
  }
}
