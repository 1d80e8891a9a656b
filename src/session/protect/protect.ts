// Which inodes of a workspace are guarded so that the agent cannot change what the host later runs. Pure: what exists is told by
// the functions that are handed in. How guarding works: design section 8, docs/decisions.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { GitLinks, type Looking } from '../git/links.ts';
import { protectGit, protectGitDirectory } from './git-directory.ts';
import { GuardBuilder } from './guard-builder.ts';
import { linksMax, type TreeFacts, wayOf } from './path-walk.ts';
import { cleanPath } from './protect-request.ts';
import type { ProtectionPlan, RefusedPath } from './protection-types.ts';
import { checkoutsIn, partOf } from './shared-git-directory.ts';
import { treeEntriesMax } from './tree-budget.ts';

/**
 * Throws `unprotected-path` for a path that is none. `looking`: what is looked at of worktrees and submodules, of which an
 * agent may have made any number.
 */
export function planFor(
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
  looking: Looking,
): { readonly plan: ProtectionPlan; readonly strangers: number } {
  const builder = new GuardBuilder(facts);
  const links = new GitLinks(builder, facts, looking);
  const clean = paths.map(cleanPath);
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
  const others = gitDirectories.map(cleanPath);
  for (const git of others) protectGitDirectory(builder, facts, git, request(git));
  const inOthers = new Set(others.flatMap(inside));
  // `.gitmodules` and the like count as well, where `.git` is a file or a link.
  const asked = clean.some((path) => path.startsWith('.git') && !inOthers.has(path));
  protectGit(builder, facts, { ...request('.git'), asked, enclosed: !within });
  const inGit = new Set([...inOthers, ...inside('.git')]);
  for (const path of clean) if (!inGit.has(path)) builder.protect(path);
  const plan = builder.plan();
  const strangers = links.strangers;
  if (!within) return { plan, strangers };
  return { plan: partOf(plan, within, checkoutsIn(facts.root, checkouts)), strangers };
}

/** Whether something is at a path that was missing, also if it is reached through a link: one that was put there since leads anywhere. */
export function isThere(facts: TreeFacts, path: string): boolean {
  const { links, end } = wayOf(facts, path);
  return links.length > 0 || (end.kind === 'inside' && end.is !== 'missing');
}

const reasons: Readonly<Record<RefusedPath['why'], (path: string) => string>> = {
  loop: (path) => `the link ${path} goes round, or over more than ${linksMax} links`,
  tangled: (path) => `the link ${path} leads out of the workspace and back into it`,
  other: (path) => `${path} is neither a file nor a directory`,
  workspace: (path) =>
    `it leads to ${path}, which holds the workspace or its git directory and cannot be guarded as a whole`,
  dangling: (path) => `it leads to ${path}, which does not exist`,
  unread: (path) =>
    `the link ${path} leads out of the workspace, where coi does not read what git runs`,
  mounted: (path) =>
    `something else is mounted over ${path} on the host, and the session would show what lies below it`,
  'git-link': (path) =>
    `${path} is a link, which git only takes while it belongs to you, and what belongs to you can be replaced from inside`,
  'unread-config': (path) =>
    `git's configuration ${path} cannot be read, and what git runs is not known`,
  worktree: (path) =>
    `it leads to ${path} in the worktree, which is not guarded together with its repository`,
  large: (path) => `${path} holds more than ${treeEntriesMax} files, or holds them too deep`,
  links: (path) => `more links lead to what is protected than coi follows, ${path} for example`,
  crowded: (path) => `git's configuration names more than coi can look at, ${path} for example`,
};

/** What is said about something that cannot be guarded. */
export function protectionRefusal(refused: RefusedPath): CoiError {
  const { path, why, asked, named, line } = refused;
  const reason = reasons[why](quoted(path === '' ? '.' : path));
  const by = named === undefined ? '' : ` (named by ${quoted(named)})`;
  const message = isUnknown(why)
    ? `${reason}${line === undefined ? '' : ` (line ${line})`}${by}`
    : `${quoted(asked === '' ? '.' : asked)}${by} cannot be protected: ${reason}`;
  return new CoiError('unprotected-path', message, { hint: remedy(refused) });
}

/** What git runs is not known, so that nothing of it can be protected. */
function isUnknown(why: RefusedPath['why']): boolean {
  return why === 'unread-config' || why === 'crowded';
}

function remedy({ why, asked, named }: RefusedPath): string {
  if (why === 'git-link')
    return 'Replace it by a file with the line "gitdir: PATH", which git takes as well.';
  if (isUnknown(why))
    return 'Correct it (`git config --list` shows what git reads), or set [security] protection = "watch".';
  const change = named === undefined ? 'Replace it' : 'Change that key';
  if (asked === '') return `${change}.`;
  return `${change}, or list ${quoted(asked)} in [security] writable_paths if the agent may change it.`;
}
