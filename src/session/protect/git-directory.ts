// What is guarded of a git directory: what git runs or takes orders from, also in its worktrees and submodules. Pure.
import { resolve } from 'node:path';
import { gitFileTarget } from '../git/git-file.ts';
import type { GitLinks } from '../git/links.ts';
import { protectByConfig } from './git-config.ts';
import type { GuardBuilder, Made } from './guard-builder.ts';
import { protectElsewhere, protectEnclosing } from './other-repositories.ts';
import type { TreeFacts } from './path-walk.ts';

export interface GitRequest {
  /** Protected paths below `.git`. */
  readonly inner: readonly string[];
  /** Whether anything of git is protected. */
  readonly asked: boolean;
  readonly readonlyGit: boolean;
  /** What the agent may change although git's configuration names it. */
  readonly writable: readonly string[];
  /** Worktrees outside of the workspace that sessions work in. */
  readonly checkouts: readonly string[];
  readonly everywhere?: boolean | undefined;
  /** The workspace may be part of another checkout. */
  readonly enclosed: boolean;
  readonly links: GitLinks;
  /** Not only in a linked worktree of it. */
  readonly isWorkedInMain: boolean;
}

/** In every git directory: what git runs or takes orders from. */
const gitFiles = ['config', 'config.worktree', 'commondir'];
/** What git goes on with where it stopped, which runs the commands that are written in there. */
export const resumed = ['rebase-merge', 'rebase-apply', 'sequencer'];

/** The git directory of the workspace: `.git` itself, or what a file of that name leads to. */
export function protectGit(builder: GuardBuilder, facts: TreeFacts, request: GitRequest): void {
  const { inner, asked, readonlyGit } = request;
  if (!asked && !readonlyGit) return;
  // Git looks at the owner of the link itself, so it cannot be guarded by its owner, and a link can have no mount.
  if (facts.kind('.git') === 'link') {
    builder.refuse({ path: '.git', why: 'git-link', asked: '.git' });
    return;
  }
  const is = facts.kind('.git');
  if (is === 'directory') protectGitDirectory(builder, facts, '.git', request);
  // What becomes a repository later is nobody's yet.
  else if (is !== 'missing' || inner.length > 0) builder.protect('.git');
  if (is === 'file') protectNamed(builder, facts, request);
  // Whatever `.git` here is: in the directory above, git takes what that repository names, and an agent can make a `.git`.
  if (request.enclosed && inner.length > 0)
    protectEnclosing(builder, facts, { writable: request.writable });
}

/** A worktree or a submodule that is opened by itself, or a repository beside its worktrees: the file says where git looks. */
function protectNamed(builder: GuardBuilder, facts: TreeFacts, request: GitRequest): void {
  const named = gitFileTarget(facts.text('.git'));
  if (named === undefined) return;
  const directory = builder.lead(named, '.git');
  const { writable } = request;
  if (!directory && request.inner.length > 0) protectElsewhere(builder, facts, named, { writable });
  if (directory?.is !== 'directory' || directory.path === '') return;
  protectGitDirectory(builder, facts, directory.path, request);
  const common = facts.text(`${directory.path}/commondir`)?.trim();
  if (common === undefined) return;
  const way = common.startsWith('/') ? common : `${directory.path}/${common}`;
  const shared = builder.lead(way, '.git');
  if (shared?.is === 'directory' && shared.path !== '' && shared.path !== directory.path)
    protectGitDirectory(builder, facts, shared.path, request);
}

/** A directory of git, whatever it is called. */
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
  if (readonlyGit) builder.pass(git);
  if (inner.length === 0) return;
  for (const path of inner) protectInner(builder, git, path);
  const { worktrees, modules, open } = builder.forLinks(() =>
    protectLinks(builder, facts, git, { checkouts, links, isWorkedInMain }),
  );
  const receiving = [git, ...open];
  protectByConfig(builder, facts, { git, worktrees, modules, receiving, writable, everywhere });
}

interface Linked {
  readonly worktrees: readonly string[];
  readonly modules: readonly string[];
  /** Those of them in which something can be made: a session works there. */
  readonly open: readonly string[];
}

/** Its worktrees and submodules, as far as they are looked at. */
function protectLinks(
  builder: GuardBuilder,
  facts: TreeFacts,
  git: string,
  { checkouts, links, isWorkedInMain }: Pick<GitRequest, 'checkouts' | 'links' | 'isWorkedInMain'>,
): Linked {
  const worktrees = links.worktrees(git);
  const open: string[] = [];
  for (const worktree of worktrees) {
    builder.addGit(worktree);
    for (const file of ['commondir', 'gitdir']) builder.protect(`${worktree}/${file}`);
    // Git reads it as soon as a repository has `extensions.worktreeConfig`, which `git sparse-checkout` sets.
    const config = `${worktree}/config.worktree`;
    if (isWorkedIn(checkoutOf(facts, worktree), [facts.root, ...checkouts])) {
      builder.protectOrMake(config, { kind: 'file', content: '' });
      open.push(worktree);
      continue;
    }
    // No session works in it, and with a mount on it the host could not remove it. What is missing in it stays missing:
    // a placeholder, made anew while the host's git removes all that is in it, would keep the directory.
    builder.protect(config);
    builder.seal(worktree);
    for (const name of resumed) builder.close(`${worktree}/${name}`);
  }
  // A linked worktree has git directories of its own for its submodules.
  const names = links.names(`${git}/config`);
  const modules = [git, ...worktrees].flatMap((one) => links.modules(one, names));
  const workedIn = new Set(
    [...(isWorkedInMain ? [git] : []), ...open]
      .filter((one) => !builder.isHeldWhole(`${one}/modules`))
      .flatMap((one) => names.slice(0, openModulesMax).map((name) => `${one}/modules/${name}`)),
  );
  for (const module of modules) {
    builder.addGit(module);
    // A submodule with worktrees of its own has more in it that git obeys.
    if (workedIn.has(module) && facts.kind(`${module}/worktrees`) === 'missing') {
      for (const path of inModule) protectInner(builder, module, path);
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

/** What is guarded in a submodule in which the session works, as in the repository itself. */
const inModule = [...gitFiles, 'hooks', 'info/attributes'];
/** Each gets some placeholders. Those that are beyond it, or that the host's configuration does not name, are sealed. */
const openModulesMax = 50;

/** Where a worktree is checked out, as it was written down on the host or in a container. */
function checkoutOf(facts: TreeFacts, worktree: string): string | undefined {
  const line = facts.text(`${worktree}/gitdir`)?.trim();
  return line ? resolve(facts.root, worktree, line) : undefined;
}

/** In `/workspace` an agent made it. */
export function isWorkedIn(checkout: string | undefined, tops: readonly string[]): boolean {
  return ['/workspace', ...tops].some((top) => checkout?.startsWith(`${top}/`));
}

function protectInner(builder: GuardBuilder, git: string, path: string): void {
  const at = path.lastIndexOf('/');
  // Its directory is sealed, so that what is missing beside it stays missing.
  const parent = at < 0 ? git : builder.sealOrMake(`${git}/${path.slice(0, at)}`);
  if (parent !== undefined)
    builder.protectOrMake(`${parent}/${path.slice(at + 1)}`, placeholderOf(path));
}

/** What the placeholder of a missing path below .git is; undefined where none is made. */
function placeholderOf(inner: string): Made | undefined {
  switch (inner) {
    case 'hooks':
      return { kind: 'directory', content: '' };
    // An empty one would end every git with an error. This very directory; by "." libgit2 would not find it.
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
