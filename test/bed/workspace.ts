// Workspaces that belong to a host user.
import assert from 'node:assert/strict';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { testPrefix } from './prefix.ts';
import type { TestUser } from './users.ts';

export interface Workspace {
  readonly path: string;
  remove(): Promise<void>;
}

export interface WorkspaceOptions {
  /** With a git repository that has one commit. */
  readonly git?: boolean;
}

/** Creates a directory under /tmp that belongs to the user. */
export async function makeWorkspace(
  user: TestUser,
  options: WorkspaceOptions = {},
): Promise<Workspace> {
  const path = await mkdtemp(`/tmp/${testPrefix}-work-`);
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    await chown(path, user.uid, user.gid);
    if (options.git) await commitOnce(user, path);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove };
}

/** Directories of one user, each filled by shell commands; `await using` removes them. */
export class Workspaces implements AsyncDisposable {
  readonly #user: TestUser;
  readonly #made: Workspace[] = [];

  constructor(user: TestUser) {
    this.#user = user;
  }

  /** Creates one, runs the shell commands in it, and returns its path. */
  async make(script: string): Promise<string> {
    const made = await makeWorkspace(this.#user);
    this.#made.push(made);
    await this.onHost(made.path, script);
    return made.path;
  }

  /** Output of the user's shell commands in a directory; they must succeed. */
  async onHost(cwd: string, script: string): Promise<string> {
    const result = await this.#user.run(['sh', '-ec', `cd ${cwd}; ${script}`]);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { remove } of this.#made) await remove();
  }
}

async function commitOnce(user: TestUser, path: string): Promise<void> {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  const steps = [
    ['git', 'init', '--quiet', '--initial-branch=main', path],
    ['git', '-C', path, ...identity, 'commit', '--quiet', '--allow-empty', '--message', 'First'],
  ];
  for (const step of steps) {
    const result = await user.run(step);
    if (result.status !== 0) throw new Error(`${step.join(' ')}: ${result.stderr}`);
  }
}
