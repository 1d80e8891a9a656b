// What a repository that lies outside of the workspace names in it: that of a linked worktree, or of a checkout of which the
// workspace is a part. Its configuration is the host's, and no mount shows it. Pure.
import { dirname, normalize, resolve } from 'node:path';
import { gitFileTarget } from '../git/git-file.ts';
import { modulesMax, submodulesIn } from '../git/links.ts';
import { protectByConfig } from './git-config.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { type TreeFacts, wayOf } from './path-walk.ts';
import type { ConfiguredGit } from './protection-types.ts';

/** Of submodules in submodules. */
const depthMax = 6;

type How = Pick<ConfiguredGit, 'writable' | 'above'>;

/** A worktree; `named` is what its file `.git` says. */
export function protectElsewhere(
  builder: GuardBuilder,
  facts: TreeFacts,
  named: string,
  how: How,
): void {
  const { end } = wayOf(facts, named);
  if (end.kind === 'outside') protectOutside(builder, facts, end.host, how);
}

/** The workspace is a directory in a checkout, which git finds as the nearest one above. */
export function protectEnclosing(builder: GuardBuilder, facts: TreeFacts, how: How): void {
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

function protectOutside(builder: GuardBuilder, facts: TreeFacts, git: string, how: How): void {
  const text = facts.outside?.(`${git}/commondir`);
  const common = typeof text === 'object' ? text.text.trim() : '';
  const shared = common.startsWith('/') ? common : `${git}/${common}`;
  const modules = modulesElsewhere(facts, git, `${common === '' ? git : shared}/config`);
  for (const one of common === '' ? [git] : [git, shared])
    protectByConfig(builder, facts, { git: one, worktrees: [], modules, ...how });
}

/**
 * Directories of submodules, which nobody lists there: those of which the configuration beside them knows. An agent may have
 * made some, with links that lead to each other: each is looked at once. Where there are more, the mount of git's directory
 * holds them as a whole, and says so.
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
