// Directories to work in, as a user of the host has them.
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
