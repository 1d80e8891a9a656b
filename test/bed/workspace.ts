// Directories to work in, as a user of the host has them.
import assert from 'node:assert/strict';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { testPrefix } from './prefix.ts';
import type { TestUser } from './users.ts';

export interface Workspace {
  readonly path: string;
  remove(): Promise<void>;
}

export interface WorkspaceOptions {
  /** With a git repository of one commit in it. */
  readonly git?: boolean;
}

/** Makes a directory under /tmp that belongs to the user. */
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

/** Directories of one user, each filled by commands of theirs; `await using`, or the end of a suite, takes them away. */
export class Workspaces implements AsyncDisposable {
  readonly #user: TestUser;
  readonly #made: Workspace[] = [];

  constructor(user: TestUser) {
    this.#user = user;
  }

  /** The path of a new one, in which the shell commands have run. */
  async make(script: string): Promise<string> {
    const made = await makeWorkspace(this.#user);
    this.#made.push(made);
    await this.onHost(made.path, script);
    return made.path;
  }

  /** What the user's shell commands print in a directory; they must succeed. */
  async onHost(cwd: string, script: string): Promise<string> {
    const said = await this.#user.run(['sh', '-ec', `cd ${cwd}; ${script}`]);
    assert.equal(said.status, 0, said.stderr);
    return said.stdout.trim();
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
    const said = await user.run(step);
    if (said.status !== 0) throw new Error(`${step.join(' ')}: ${said.stderr}`);
  }
}
