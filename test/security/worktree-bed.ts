// A repository with linked worktrees of one user, and attacks on it by an agent in one of them.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MountRequest } from '../../src/coid-api/session-protocol.ts';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import { type Attack, asUser, attacks, commit } from './protect-bed.ts';

export interface Worktrees {
  /** The main checkout. */
  readonly main: string;
  readonly common: string;
  readonly feature: string;
  readonly other: string;
}

/** `feature` and `other` lie next to the main checkout, with nothing hidden from its user. */
export async function makeWorktrees(bed: CoidBed, uid: number): Promise<Worktrees> {
  const top = await bed.directory(uid);
  const [main, feature, other] = [join(top, 'repo'), join(top, 'feature'), join(top, 'other')];
  await asUser(uid, ['git', 'init', '--quiet', main]);
  await commit(uid, main, 'first');
  await asUser(uid, ['git', '-C', main, 'worktree', 'add', '--quiet', feature]);
  await asUser(uid, ['git', '-C', main, 'worktree', 'add', '--quiet', other]);
  return { main, common: join(main, '.git'), feature, other };
}

export function commonOf(common: string, worktree = 'feature'): MountRequest {
  return { name: 'git', source: common, readonly: false, git: worktree };
}

/** In the directory that contains the shared one, where the agent has nothing else. Each reverts its own effect. */
export const commonAttacks: readonly Attack[] = [
  ...attacks.filter(({ script }) => script.includes('.git/')),
  ...['feature', 'other'].flatMap((name) => {
    const own = `.git/worktrees/${name}`;
    return [
      {
        name: `redirects the worktree ${name} to another repository`,
        script: `cp ${own}/commondir /tmp/d && echo /tmp > ${own}/commondir && cat /tmp/d > ${own}/commondir`,
      },
      {
        name: `redirects the repository to another directory for ${name}`,
        script: `cp ${own}/gitdir /tmp/d && echo /tmp/.git > ${own}/gitdir && cat /tmp/d > ${own}/gitdir`,
      },
      {
        name: `replaces the gitdir of ${name}`,
        script: `cp ${own}/gitdir ${own}/new && mv -f ${own}/new ${own}/gitdir`,
      },
      {
        name: `gives ${name} its own configuration`,
        script: `echo "[core]" > ${own}/config.worktree && rm ${own}/config.worktree`,
      },
      {
        name: `renames the directory of ${name}`,
        script: `mv ${own} ${own}2 && mv ${own}2 ${own}`,
      },
    ];
  }),
  {
    name: 'renames the directory of all worktrees',
    script: 'mv .git/worktrees .git/w && mv .git/w .git/worktrees',
  },
];

/** In the worktree itself. */
export const linkAttacks: readonly Attack[] = [
  {
    name: 'makes the .git file name another repository',
    script: 'cp .git /tmp/d && echo "gitdir: /tmp" > .git && cat /tmp/d > .git',
  },
  { name: 'renames the .git file', script: 'mv .git .git2 && mv .git2 .git' },
  {
    name: 'replaces the .git file',
    script: 'cp .git new && mv -f new .git',
  },
];

export function containingDirectory({ common }: Worktrees): string {
  return dirname(common);
}

export async function killAndRelease(bed: CoidBed, container: string): Promise<void> {
  await killSession(bed, container);
  await untilReleased(bed);
}

export async function killSession(bed: CoidBed, container: string): Promise<void> {
  const stored = await bed.incus.instance(container);
  assert.ok(stored);
  await killContainer(bed.incus, refOf(stored.instance), AbortSignal.timeout(60_000));
}

/** Nothing is guarded any more. */
export async function untilReleased({ daemon }: CoidBed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilEntryGone(directory, name);
}
