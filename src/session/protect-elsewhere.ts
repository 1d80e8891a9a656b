// What a repository that lies outside of the workspace names in it: that of a linked worktree, or of a checkout of which the
// workspace is a part. Its configuration is the host's, and no mount shows it. Pure.
import { dirname, normalize, resolve } from 'node:path';
import { submodulesIn } from './git-links.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { type ConfiguredGit, protectByConfig } from './protect-config.ts';
import { type TreeFacts, wayOf } from './way.ts';

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
  const named = typeof file === 'object' ? /^gitdir: (.+?)\s*$/.exec(file.text)?.[1] : undefined;
  if (named !== undefined) return resolve(top, named);
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

/** Directories of submodules, which nobody lists there: those of which the configuration beside them knows. */
function modulesElsewhere(facts: TreeFacts, git: string, config: string, depth = 0): string[] {
  const found = facts.outside?.(config);
  const names = typeof found === 'object' ? submodulesIn(found.text) : [];
  return names.flatMap((name) => {
    const module = normalize(`${git}/modules/${name}`);
    const isThere = typeof facts.outside?.(`${module}/config`) === 'object';
    const below = () => modulesElsewhere(facts, module, `${module}/config`, depth + 1);
    return isThere && depth < 6 ? [module, ...below()] : [];
  });
}
