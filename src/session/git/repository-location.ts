// Locates the repository of a workspace and decides whether git works in the session. Pure.
import { resolve } from 'node:path';
import { quoted } from '../../names.ts';
import { hidesGuest } from '../plan/extra-mounts.ts';
import type { PlannedMount } from '../plan/session-spec.ts';
import { missingFilters } from './filters.ts';
import { gitFileTarget } from './git-file.ts';
import { areNested, gitParts, isLinkedBack, type WorktreeLink, worktreeLink } from './worktree.ts';

export interface RepositoryLocation {
  /** Git's absolute paths are only valid if the workspace has the same path in the container. */
  readonly ownPath: boolean;
  /** The git directory that it shares with other worktrees. */
  readonly link: WorktreeLink | undefined;
  /** The directory of its configuration, if known. */
  readonly repository: string | undefined;
  /** Why git does not work in the container, as the end of a sentence. */
  readonly why: string | undefined;
}

export interface GitFacts {
  readonly kind: (path: string) => 'file' | 'directory' | 'other' | 'missing';
  /** Content of a small file, without following links; undefined if it does not exist. */
  readonly text: (path: string) => string | undefined;
  /** Owner of the entry itself, not of a link target. */
  readonly owner: (path: string) => number | undefined;
  /** Whether that directory can be used as a workspace. */
  readonly mayOpen: (directory: string) => boolean;
}

const works: RepositoryLocation = {
  ownPath: false,
  link: undefined,
  repository: undefined,
  why: undefined,
};

function fails(why: string): RepositoryLocation {
  return { ...works, why };
}

/** `workspace` is a real path; `owner` is the uid whose files the agent may write. */
export function locateRepository(
  workspace: string,
  owner: number,
  facts: GitFacts,
): RepositoryLocation {
  const is = facts.kind(`${workspace}/.git`);
  if (is === 'missing') return checkEnclosing(workspace, facts);
  if (is === 'directory') return { ...works, repository: `${workspace}/.git` };
  if (is !== 'file') return works;
  const named = gitFileTarget(facts.text(`${workspace}/.git`));
  if (named === undefined) return works;
  const directory = resolve(workspace, named);
  if (directory.startsWith(`${workspace}/`)) {
    // A bare repository next to its worktrees: they refer to it by its host path.
    const hasWorktrees = facts.kind(`${directory}/worktrees`) === 'directory';
    return { ...works, ownPath: named.startsWith('/') || hasWorktrees, repository: directory };
  }
  const [, top] = /^(\/.+)\/\.git\/modules\/./.exec(directory) ?? [];
  if (top !== undefined)
    return fails(
      `this is a submodule of ${top}, which contains its repository${remedy(top, facts)}`,
    );
  const link = worktreeLink(workspace, facts.text(`${workspace}/.git`) ?? '');
  if (!link) return fails(`.git refers to ${quoted(directory)}, which is outside of the workspace`);
  const why = linkProblem(workspace, owner, link, facts);
  return why === undefined
    ? { ownPath: true, link, repository: link.common, why: undefined }
    : fails(why);
}

function linkProblem(
  workspace: string,
  owner: number,
  link: WorktreeLink,
  { kind, text, owner: ownerOf }: GitFacts,
): string | undefined {
  const { common } = link;
  if (!isLinkedBack(workspace, link, (path) => text(`${common}/${path}`)))
    return `.git refers to ${quoted(common)}, which does not list this worktree; see \`git worktree repair\``;
  const missing = gitParts.find((part) => kind(`${common}/${part.name}`) !== part.kind);
  if (missing) return `${quoted(common)} is not a git directory: it has no ${missing.name}`;
  if (ownerOf(common) !== owner) return `its repository ${quoted(common)} belongs to another user`;
  if (areNested(workspace, common))
    return `the worktree and its repository ${quoted(common)} are nested`;
  if (
    /^[ \t]*relativeworktrees[ \t]*(?:=\s*(?!false|no|off|0)|$)/im.test(
      text(`${common}/config`) ?? '',
    )
  )
    return "the git of coi's images is too old for `extensions.relativeWorktrees` of its repository";
  return undefined;
}

/** Missing filters in the workspace's top-level attributes; those in subdirectories are not checked. */
export function missingFiltersIn(
  workspace: string,
  { repository }: RepositoryLocation,
  text: GitFacts['text'],
): string[] {
  if (repository === undefined) return [];
  const files = [`${workspace}/.gitattributes`, `${repository}/info/attributes`];
  const attributes = files
    .flatMap((file) => text(file) ?? [])
    .filter((one) => one.includes('filter='));
  if (attributes.length === 0) return [];
  return missingFilters(attributes, text(`${repository}/config`) ?? '');
}

/** For a subdirectory of a repository: git would find the repository above, but only the subdirectory is mounted. */
function checkEnclosing(workspace: string, facts: GitFacts): RepositoryLocation {
  const parts = workspace.split('/');
  for (let depth = parts.length - 1; depth >= 1; depth -= 1) {
    const top = parts.slice(0, depth).join('/') || '/';
    const git = `${top === '/' ? '' : top}/.git`;
    const is = facts.kind(git);
    if (is === 'file' || (is === 'directory' && facts.kind(`${git}/HEAD`) === 'file'))
      return fails(`only a part of the repository in ${top} is mounted${remedy(top, facts)}`);
  }
  return works;
}

function remedy(top: string, { mayOpen }: GitFacts): string {
  if (!mayOpen(top)) return '';
  const word = /^[\w@%+=:,./-]+$/.test(top) ? top : `'${top.replaceAll("'", `'\\''`)}'`;
  return `; to mount all of it: coi -w ${word} shell`;
}

/** The mount of the shared git directory at the path that `.git` names; undefined if nothing can be mounted there. */
export function commonMount(
  { common, id, absolute }: WorktreeLink,
  { isOwnPath, readonly }: { readonly isOwnPath: boolean; readonly readonly: boolean },
): PlannedMount | undefined {
  // The agent cannot enter root's home.
  if (hidesGuest(common) || common.startsWith('/root/') || !(absolute || isOwnPath))
    return undefined;
  return { name: 'git', source: common, target: common, readonly, git: id };
}
