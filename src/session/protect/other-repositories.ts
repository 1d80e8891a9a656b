// Guards workspace files that a repository outside of it names: the repository of a linked worktree, or of an enclosing
// checkout. Its configuration belongs to the host and is not mounted. Pure.
import { dirname, normalize, resolve } from 'node:path';
import { gitFileTarget } from '../git/git-file.ts';
import { modulesMax, submodulesIn } from '../git/linked-repositories.ts';
import { protectByConfig } from './git-config.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { type TreeFacts, walkPath } from './path-walk.ts';
import type { ConfiguredGit } from './protection-types.ts';

/** Limit for nested submodules. */
const depthMax = 6;

type OtherRepositoryOptions = Pick<ConfiguredGit, 'writable' | 'above'>;

/** For a worktree; `named` is the path in its file `.git`. */
export function protectNamedRepository(
  builder: GuardBuilder,
  facts: TreeFacts,
  named: string,
  how: OtherRepositoryOptions,
): void {
  const { end } = walkPath(facts, named);
  if (end.kind === 'outside') protectOutside(builder, facts, end.host, how);
}

/** For a workspace in a checkout: the nearest repository above it. */
export function protectEnclosing(
  builder: GuardBuilder,
  facts: TreeFacts,
  how: OtherRepositoryOptions,
): void {
  let top = facts.root;
  while (top !== dirname(top)) {
    top = dirname(top);
    const git = gitAt(facts, top);
    if (git === undefined) continue;
    protectOutside(builder, facts, git, { ...how, above: top });
    return;
  }
}

function gitAt(facts: TreeFacts, top: string): string | undefined {
  const entry = normalize(`${top}/.git`);
  const file = facts.outside?.(entry);
  const named = typeof file === 'object' ? gitFileTarget(file.text) : undefined;
  if (named !== undefined) return resolve(top, named);
  if (file === undefined || file === 'missing') return undefined;
  return typeof facts.outside?.(`${entry}/HEAD`) === 'object' ? entry : undefined;
}

function protectOutside(
  builder: GuardBuilder,
  facts: TreeFacts,
  git: string,
  how: OtherRepositoryOptions,
): void {
  const text = facts.outside?.(`${git}/commondir`);
  const common = typeof text === 'object' ? text.text.trim() : '';
  const shared = common.startsWith('/') ? common : `${git}/${common}`;
  const modules = modulesElsewhere(facts, git, `${common === '' ? git : shared}/config`);
  for (const one of common === '' ? [git] : [git, shared])
    protectByConfig(builder, facts, { git: one, worktrees: [], modules, ...how });
}

/**
 * Git directories of submodules, which cannot be listed there: those in the neighbouring configuration. An agent may have
 * created some, with links to each other, so each is inspected once. If there are more, the mount of the git directory
 * locks them as a whole and reports that.
 */
function modulesElsewhere(facts: TreeFacts, git: string, config: string): string[] {
  const modules: string[] = [];
  const seen = new Set<string>();
  const open = [{ git, config, depth: 0 }];
  for (let next = open.shift(); next && modules.length < modulesMax; next = open.shift()) {
    const found = facts.outside?.(next.config);
    if (typeof found !== 'object' || seen.has(found.at ?? next.config)) continue;
    seen.add(found.at ?? next.config);
    if (next.depth > 0) modules.push(next.git);
    if (next.depth > depthMax) continue;
    for (const name of submodulesIn(found.text)) {
      const module = normalize(`${next.git}/modules/${name}`);
      open.push({ git: module, config: `${module}/config`, depth: next.depth + 1 });
    }
  }
  return modules;
}
