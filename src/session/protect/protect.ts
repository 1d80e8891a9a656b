// Decides which inodes of a workspace are guarded, so that the agent cannot change files that the host later runs. Pure:
// the caller passes functions that read the workspace. How guarding works: docs/decisions.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { type InspectionScope, LinkedRepositories } from '../git/linked-repositories.ts';
import { protectGit, protectGitDirectory } from './git-directory.ts';
import { GuardBuilder } from './guard-builder.ts';
import { linksMax, type TreeFacts, walkPath } from './path-walk.ts';
import { parseProtectedPath } from './protect-request.ts';
import type { ProtectionPlan, RefusedPath } from './protection-types.ts';
import { checkoutsIn, restrictPlan } from './shared-git-directory.ts';
import { treeEntriesMax } from './tree-budget.ts';

/**
 * Throws `unprotected-path` for an invalid path. `scope`: which worktrees and submodules are inspected, because an agent
 * may have created any number.
 */
export function buildPlan(
  {
    paths,
    readonlyGit = false,
    gitDirectories = [],
    checkouts = [],
    writable = [],
    everywhere,
    within,
  }: ProtectRequest,
  facts: TreeFacts,
  scope: InspectionScope,
): { readonly plan: ProtectionPlan; readonly unvouched: number } {
  const builder = new GuardBuilder(facts);
  const links = new LinkedRepositories(builder, facts, scope);
  const clean = paths.map(parseProtectedPath);
  const inside = (git: string) => clean.filter((path) => path.startsWith(`${git}/`));
  const request = (git: string) => ({
    inner: inside(git).map((path) => path.slice(git.length + 1)),
    readonlyGit,
    checkouts,
    writable,
    everywhere,
    links,
    isWorkedInMain: !within,
  });
  const others = gitDirectories.map(parseProtectedPath);
  for (const git of others) protectGitDirectory(builder, facts, git, request(git));
  const inOthers = new Set(others.flatMap(inside));
  // `.gitmodules` and similar files count as well, if `.git` is a file or a link.
  const asked = clean.some((path) => path.startsWith('.git') && !inOthers.has(path));
  protectGit(builder, facts, { ...request('.git'), asked, enclosed: !within });
  const inGit = new Set([...inOthers, ...inside('.git')]);
  for (const path of clean) if (!inGit.has(path)) builder.protect(path);
  const plan = builder.plan();
  const unvouched = links.unvouched;
  if (!within) return { plan, unvouched };
  return { plan: restrictPlan(plan, within, checkoutsIn(facts.root, checkouts)), unvouched };
}

/** Whether a missing path exists now. A link counts as existing, because its target can be anything. */
export function existsNow(facts: TreeFacts, path: string): boolean {
  const { links, end } = walkPath(facts, path);
  return links.length > 0 || (end.kind === 'inside' && end.is !== 'missing');
}

const reasons: Readonly<Record<RefusedPath['why'], (path: string) => string>> = {
  loop: (path) => `the link ${path} leads through a loop or more than ${linksMax} links`,
  tangled: (path) => `the link ${path} leads out of the workspace and back into it`,
  other: (path) => `${path} is neither a file nor a directory`,
  workspace: (path) =>
    `it leads to ${path}, which contains the workspace or its git directory and cannot be guarded as a whole`,
  dangling: (path) => `it leads to ${path}, which does not exist`,
  unread: (path) =>
    `the link ${path} leads out of the workspace, where coi does not check what git runs`,
  mounted: (path) =>
    `something else is mounted over ${path} on the host, and the session would see the files below it`,
  'git-link': (path) =>
    `${path} is a link: git only accepts it if it belongs to you, but then the agent can replace it`,
  'unread-config': (path) =>
    `git's configuration ${path} cannot be read, so it is unknown what git runs`,
  worktree: (path) =>
    `it leads to ${path} in the worktree, which is not guarded together with its repository`,
  large: (path) => `${path} contains more than ${treeEntriesMax} files or is nested too deeply`,
  links: (path) => `too many links lead to protected paths, for example ${path}`,
  crowded: (path) => `git's configuration names more paths than coi can check, for example ${path}`,
};

/** The error for a path that cannot be guarded. */
export function protectionRefusal(refused: RefusedPath): CoiError {
  const { path, why, asked, named, line } = refused;
  const reason = reasons[why](quoted(path === '' ? '.' : path));
  const by = named === undefined ? '' : ` (named by ${quoted(named)})`;
  const message = isUnknown(why)
    ? `${reason}${line === undefined ? '' : ` (line ${line})`}${by}`
    : `${quoted(asked === '' ? '.' : asked)}${by} cannot be protected: ${reason}`;
  return new CoiError('unprotected-path', message, { hint: remedy(refused) });
}

/** It is unknown what git runs, so nothing of it can be protected. */
function isUnknown(why: RefusedPath['why']): boolean {
  return why === 'unread-config' || why === 'crowded';
}

function remedy({ why, asked, named }: RefusedPath): string {
  if (why === 'git-link') return 'Replace it with a file that contains the line "gitdir: PATH".';
  if (isUnknown(why))
    return 'Fix it (`git config --list` shows what git reads), or set [security] protection = "watch".';
  const change = named === undefined ? 'Replace it' : 'Change that key';
  if (asked === '') return `${change}.`;
  return `${change}, or list ${quoted(asked)} in [security] writable_paths if the agent may change it.`;
}
