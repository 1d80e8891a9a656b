// Guards files in a git directory that git runs or obeys, also in its worktrees and submodules. Pure.
import { resolve } from 'node:path';
import { gitFileTarget } from '../git/git-file.ts';
import type { LinkedRepositories } from '../git/linked-repositories.ts';
import { protectByConfig } from './git-config.ts';
import type { GuardBuilder, PlaceholderContent } from './guard-builder.ts';
import { protectEnclosing, protectNamedRepository } from './other-repositories.ts';
import type { TreeFacts } from './path-walk.ts';

export interface GitRequest {
  /** Protected paths below `.git`. */
  readonly inner: readonly string[];
  /** Whether any path of git is protected. */
  readonly asked: boolean;
  readonly readonlyGit: boolean;
  /** Paths that the agent may change although git's configuration names them. */
  readonly writable: readonly string[];
  /** Worktrees of sessions outside of the workspace. */
  readonly checkouts: readonly string[];
  readonly everywhere?: boolean | undefined;
  /** The workspace may be part of another checkout. */
  readonly enclosed: boolean;
  readonly links: LinkedRepositories;
  /** Whether a session works in the main checkout, not only in a linked worktree. */
  readonly isWorkedInMain: boolean;
}

/** Files in every git directory that git obeys. */
const gitFiles = ['config', 'config.worktree', 'commondir'];
/** Directories of an unfinished rebase or cherry-pick; continuing it runs the commands in them. */
export const unfinishedDirectories = ['rebase-merge', 'rebase-apply', 'sequencer'];

/** Guards the git directory of the workspace: `.git` itself, or the directory that a file `.git` names. */
export function protectGit(builder: GuardBuilder, facts: TreeFacts, request: GitRequest): void {
  const { inner, asked, readonlyGit } = request;
  if (!asked && !readonlyGit) return;
  // Git checks the owner of the link itself, so its owner cannot be changed to guard it, and a link cannot be a mount point.
  if (facts.kind('.git') === 'link') {
    builder.refuse({ path: '.git', why: 'git-link', asked: '.git' });
    return;
  }
  const is = facts.kind('.git');
  if (is === 'directory') protectGitDirectory(builder, facts, '.git', request);
  // A future repository has no owner yet.
  else if (is !== 'missing' || inner.length > 0) builder.protect('.git');
  if (is === 'file') protectGitFile(builder, facts, request);
  // Regardless of `.git` here: in the directory above, git obeys that repository, and an agent can create a `.git`.
  if (request.enclosed && inner.length > 0)
    protectEnclosing(builder, facts, { writable: request.writable });
}

/** A worktree or submodule that is the workspace itself, or a repository next to its worktrees: the file names the git directory. */
function protectGitFile(builder: GuardBuilder, facts: TreeFacts, request: GitRequest): void {
  const named = gitFileTarget(facts.text('.git'));
  if (named === undefined) return;
  const directory = builder.followPath(named, '.git');
  const { writable } = request;
  if (!directory && request.inner.length > 0)
    protectNamedRepository(builder, facts, named, { writable });
  if (directory?.is !== 'directory' || directory.path === '') return;
  protectGitDirectory(builder, facts, directory.path, request);
  const common = facts.text(`${directory.path}/commondir`)?.trim();
  if (common === undefined) return;
  const way = common.startsWith('/') ? common : `${directory.path}/${common}`;
  const shared = builder.followPath(way, '.git');
  if (shared?.is === 'directory' && shared.path !== '' && shared.path !== directory.path)
    protectGitDirectory(builder, facts, shared.path, request);
}

/** Guards a git directory with any name. */
export function protectGitDirectory(
  builder: GuardBuilder,
  facts: TreeFacts,
  git: string,
  {
    inner,
    readonlyGit,
    checkouts,
    writable,
    everywhere,
    links,
    isWorkedInMain,
  }: Omit<GitRequest, 'asked' | 'enclosed'>,
): void {
  builder.addGit(git);
  if (readonlyGit) builder.passThrough(git);
  if (inner.length === 0) return;
  for (const path of inner) protectInner(builder, git, path);
  const { worktrees, modules, open } = builder.forLinks(() =>
    protectLinks(builder, facts, git, { checkouts, links, isWorkedInMain }),
  );
  const receiving = [git, ...open];
  protectByConfig(builder, facts, { git, worktrees, modules, receiving, writable, everywhere });
}

interface LinkedDirectories {
  readonly worktrees: readonly string[];
  readonly modules: readonly string[];
  /** Those in which files can be created, because a session works there. */
  readonly open: readonly string[];
}

/** Guards its worktrees and submodules, as far as they are inspected. */
function protectLinks(
  builder: GuardBuilder,
  facts: TreeFacts,
  git: string,
  { checkouts, links, isWorkedInMain }: Pick<GitRequest, 'checkouts' | 'links' | 'isWorkedInMain'>,
): LinkedDirectories {
  const worktrees = links.worktrees(git);
  const open: string[] = [];
  for (const worktree of worktrees) {
    builder.addGit(worktree);
    for (const file of ['commondir', 'gitdir']) builder.protect(`${worktree}/${file}`);
    // Git reads it once a repository has `extensions.worktreeConfig`, which `git sparse-checkout` sets.
    const config = `${worktree}/config.worktree`;
    if (isWorkedIn(checkoutOf(facts, worktree), [facts.root, ...checkouts])) {
      builder.protectOrCreate(config, { kind: 'file', content: '' });
      open.push(worktree);
      continue;
    }
    // No session works in it, and the host could not remove it with a mount on it. Missing files stay missing: a
    // placeholder created while the host's git empties the directory would prevent its removal.
    builder.protect(config);
    builder.seal(worktree);
    for (const name of unfinishedDirectories) builder.guardTree(`${worktree}/${name}`);
  }
  // A linked worktree has its own git directories for its submodules.
  const names = links.names(`${git}/config`);
  const modules = [git, ...worktrees].flatMap((one) => links.modules(one, names));
  const workedIn = new Set(
    [...(isWorkedInMain ? [git] : []), ...open]
      .filter((one) => !builder.isTreeLocked(`${one}/modules`))
      .flatMap((one) => names.slice(0, openModulesMax).map((name) => `${one}/modules/${name}`)),
  );
  for (const module of modules) {
    builder.addGit(module);
    // A submodule with its own worktrees contains more that git obeys.
    if (workedIn.has(module) && facts.kind(`${module}/worktrees`) === 'missing') {
      for (const path of protectedInModule) protectInner(builder, module, path);
      open.push(module);
      continue;
    }
    builder.seal(module);
    for (const file of gitFiles) builder.protect(`${module}/${file}`);
    builder.protect(`${module}/hooks`);
    builder.seal(`${module}/info`);
    builder.protect(`${module}/info/attributes`);
  }
  return { worktrees, modules, open };
}

/** Guarded paths in a submodule in which the session works, as in the repository itself. */
const protectedInModule = [...gitFiles, 'hooks', 'info/attributes'];
/** Each of these submodules gets some placeholders. The others, and those not in the host's configuration, are sealed. */
const openModulesMax = 50;

/** The recorded checkout of a worktree; the record may come from the host or a container. */
function checkoutOf(facts: TreeFacts, worktree: string): string | undefined {
  const line = facts.text(`${worktree}/gitdir`)?.trim();
  return line ? resolve(facts.root, worktree, line) : undefined;
}

/** Paths below `/workspace` come from a container. */
export function isWorkedIn(checkout: string | undefined, tops: readonly string[]): boolean {
  return ['/workspace', ...tops].some((top) => checkout?.startsWith(`${top}/`));
}

function protectInner(builder: GuardBuilder, git: string, path: string): void {
  const at = path.lastIndexOf('/');
  // Its directory is sealed, so that missing files next to it stay missing.
  const parent = at < 0 ? git : builder.sealOrCreate(`${git}/${path.slice(0, at)}`);
  if (parent !== undefined)
    builder.protectOrCreate(`${parent}/${path.slice(at + 1)}`, placeholderOf(path));
}

/** The placeholder for a missing path below .git; undefined if there is none. */
function placeholderOf(inner: string): PlaceholderContent | undefined {
  switch (inner) {
    case 'hooks':
      return { kind: 'directory', content: '' };
    // An empty file would make every git command fail. "./" is the directory itself; libgit2 does not accept ".".
    case 'commondir':
      return { kind: 'file', content: './\n' };
    case 'config':
    case 'config.worktree':
    case 'info/attributes':
      return { kind: 'file', content: '' };
    default:
      return undefined;
  }
}
