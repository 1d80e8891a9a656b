// A login from before its user joined a group does not have that group's rights: sg(1) gives them to a new process.
import { accessSync, constants, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { CoiError } from '../../errors.ts';
import { shellWord } from '../../shell-quoting.ts';
import { handedWords } from './command-line.ts';
import { selfArgv } from './self.ts';

/** Set in the process that was started with the group, so that it is tried once. */
const guardName = 'COI_GROUP_ENTERED';
const sgPath = '/usr/bin/sg';
/** Linux: a quarter of the stack's limit of 8 MiB, with something left for what sg adds. Source: execve(2). */
const givenMaxBytes = 1_900_000;

export interface GroupFacts {
  /** What the socket says to this process. */
  readonly access: 'open' | 'refused' | 'missing';
  /** The user is a member according to group(5). */
  readonly member: boolean;
  /** sg was gone through already. */
  readonly entered: boolean;
  readonly hasSg: boolean;
}

/** `go` on as we are, `enter` the group by starting anew through sg, or say that the user may not (`join`) or has to log in again (`login`). */
export function groupDecision({
  access,
  member,
  entered,
  hasSg,
}: GroupFacts): 'go' | 'enter' | 'join' | 'login' {
  // A missing socket is another trouble, told by whoever needs it.
  if (access !== 'refused') return 'go';
  if (!member) return 'join';
  return entered || !hasSg ? 'login' : 'enter';
}

/**
 * The argv that runs a program with one more group and the same primary group as before: sg makes the new group the
 * primary one and keeps the old as a supplementary one, so a second sg swaps them back. Files stay the user's own.
 */
export function sgArguments(
  group: string,
  primary: string | undefined,
  argv: readonly string[],
): string[] {
  const program = `exec ${argv.map(shellWord).join(' ')}`;
  const inner =
    primary === undefined
      ? program
      : `exec ${[sgPath, primary, '-c', program].map(shellWord).join(' ')}`;
  return [sgPath, group, '-c', inner];
}

/** Reads group(5): who is in the group of that name, and the name of the group with that id. */
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
 * Makes sure that this process may open a socket that belongs to a group; replaces the process by one in the group where
 * that helps (then it does not return). Throws `incus-forbidden` where it does not.
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
      // sg stays as the parent, with its arguments for every account to read as long as the session lives.
      const argv = sgArguments(group, groups.primary, selfArgv(process));
      const words = handedWords(process.argv.slice(2));
      const env = { ...process.env, ...words, [guardName]: '1' };
      refuseTooLarge(argv, env);
      // Replaced, not wrapped: signals, the terminal and the exit status stay those of the program.
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

/** Node ends where the kernel refuses to start the program: what is given to it has a limit in all. */
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
    // Not there, or not for us: either way it cannot be used.
    return false;
  }
}
