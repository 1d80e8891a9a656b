// The only file that starts the host's git in a repository. It runs no hooks, pagers, filters of coi's own repositories,
// transports or credential helpers, and it never waits for a terminal. Source of the variables: git(1), "Environment Variables".
import { type Environment, runProgram } from '../process/program.ts';

export interface GitRequest {
  /** The command and its arguments, without `git`. */
  readonly args: readonly string[];
  /** Text, or a descriptor to read from. */
  readonly input?: string | number;
  /** Default 60 s. */
  readonly limitMs?: number;
  /** Characters of output; more is an error. Default 64 Mi. */
  readonly outputMax?: number;
  readonly signal?: AbortSignal | undefined;
  /** Exit statuses besides 0 that are an answer. */
  readonly answers?: readonly number[];
  /** Added to the environment. */
  readonly env?: Environment;
  /** Of input and output. Default `utf8`; with `latin1` every byte of a path is one character. */
  readonly encoding?: 'latin1';
  /** Settings besides those that every call has, such as `core.quotePath=true`. */
  readonly settings?: readonly string[];
}

export interface GitEnd {
  readonly status: number;
  readonly stdout: string;
}

export interface Git {
  run(request: GitRequest): Promise<GitEnd>;
}

/** git has failed: `message` is its last line, or says what ended it. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly status: number | undefined;
  /** What it printed. */
  readonly details: string;

  constructor(message: string, status: number | undefined, details = '') {
    super(message);
    this.status = status;
    this.details = details;
  }
}

const defaultLimitMs = 60_000;
const defaultOutputMax = 64 * 2 ** 20;
const errorMax = 64 * 1024;

/** Settings that a repository could use to start programs, or that would change what git prints. */
const flags = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.pager=cat',
  'core.quotePath=false',
  'core.bigFileThreshold=8m',
  'core.packedGitWindowSize=32m',
  'submodule.recurse=false',
  'diff.ignoreSubmodules=all',
  'protocol.allow=never',
  'gc.auto=0',
  'maintenance.auto=false',
  'merge.autoStash=false',
  'advice.detachedHead=false',
].flatMap((setting) => ['-c', setting]);

const always: Environment = {
  LC_ALL: 'C.UTF-8',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_EDITOR: 'false',
};

export interface GitCaller {
  readonly user: { readonly home: string };
  /** Of the caller; for git to be found, and programs that sign. */
  readonly env: Environment;
}

/** Variables of the user that signing needs, and git to be found. */
const usersVariables = ['PATH', 'SSH_AUTH_SOCK', 'GPG_TTY', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME'];

/** The user's own repository, with the user's configuration. The agent cannot write to its git directory. */
export function userRepository(directory: string, { user, env }: GitCaller): Git {
  const kept = Object.fromEntries(usersVariables.map((name) => [name, env[name]]));
  return gitIn(['-C', directory], { ...kept, HOME: user.home });
}

/** A repository of coi's own, without anybody's configuration. */
export function ownRepository(
  gitDirectory: string,
  { env }: Pick<GitCaller, 'env'>,
  workTree?: string,
): Git {
  const variables = {
    PATH: env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_DIR: gitDirectory,
    ...(workTree !== undefined && { GIT_WORK_TREE: workTree }),
  };
  return gitIn(workTree === undefined ? [] : ['-C', workTree], variables);
}

function gitIn(place: readonly string[], env: Environment): Git {
  return {
    run: async (request) => {
      const { args, input, limitMs, outputMax, signal, answers = [], env: more } = request;
      const settings = (request.settings ?? []).flatMap((setting) => ['-c', setting]);
      const end = await runProgram(['git', ...place, ...flags, ...settings, ...args], {
        cwd: '/',
        env: { ...env, ...always, ...more },
        ...(input !== undefined && { input }),
        limitMs: limitMs ?? defaultLimitMs,
        stdout: { max: outputMax ?? defaultOutputMax, beyond: 'end' },
        stderr: { max: errorMax, beyond: 'drop the start' },
        signal,
        withChildren: true,
        encoding: request.encoding,
      });
      signal?.throwIfAborted();
      const { status, failure, isLate, stdout, stderr } = end;
      if (failure) throw new GitError(notStarted(failure), undefined);
      if (isLate) throw new GitError(`git ${args[0]} took too long`, undefined);
      if (status === undefined) throw new GitError(`git ${args[0]} was killed`, undefined);
      if (status !== 0 && !answers.includes(status))
        throw new GitError(reasonOf(stderr), status, stderr);
      return { status, stdout };
    },
  };
}

function notStarted({ code, message }: NodeJS.ErrnoException): string {
  return code === 'ENOENT' ? 'git is not installed' : message;
}

/** Its last line: those before it are warnings and hints. */
function reasonOf(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const found = lines.findLast((line) => /^(?:fatal|error):/.test(line)) ?? lines.at(-1);
  return found?.replace(/^(?:fatal|error): /, '') || 'git has failed';
}
