// Whether git works in a session, by where the workspace lies to its repository. Pure; what there is, is handed in.
import { resolve } from 'node:path';
import { quoted } from '../../names.ts';
import { hidesGuest } from '../plan/extra-mounts.ts';
import type { PlannedMount } from '../plan/session-wish.ts';
import { missingFilters } from './filters.ts';
import { gitFileTarget } from './git-file.ts';
import { areNested, gitParts, isLinkedBack, type WorktreeLink, worktreeLink } from './worktree.ts';

export interface GitPlace {
  /** Paths of git hold on both sides only where the workspace has the same path inside. */
  readonly ownPath: boolean;
  /** The directory that it shares with other worktrees. */
  readonly link: WorktreeLink | undefined;
  /** Where its configuration lies, as far as that is known. */
  readonly repository: string | undefined;
  /** Why git does not work inside: the end of a sentence. */
  readonly why: string | undefined;
}

export interface GitFacts {
  readonly kind: (path: string) => 'file' | 'directory' | 'other' | 'missing';
  /** Of a small file, through no link; undefined if there is none. */
  readonly text: (path: string) => string | undefined;
  /** Of the entry itself. */
  readonly owner: (path: string) => number | undefined;
  /** Whether that directory may be a workspace. */
  readonly mayOpen: (directory: string) => boolean;
}

const works: GitPlace = { ownPath: false, link: undefined, repository: undefined, why: undefined };

function fails(why: string): GitPlace {
  return { ...works, why };
}

/** `workspace` without links; `owner` is whose files the agent may write. */
export function gitPlace(workspace: string, owner: number, facts: GitFacts): GitPlace {
  const is = facts.kind(`${workspace}/.git`);
  if (is === 'missing') return above(workspace, facts);
  if (is === 'directory') return { ...works, repository: `${workspace}/.git` };
  if (is !== 'file') return works;
  const named = gitFileTarget(facts.text(`${workspace}/.git`));
  if (named === undefined) return works;
  const directory = resolve(workspace, named);
  if (directory.startsWith(`${workspace}/`)) {
    // A bare repository beside its worktrees: they name it by its path on the host.
    const hasWorktrees = facts.kind(`${directory}/worktrees`) === 'directory';
    return { ...works, ownPath: named.startsWith('/') || hasWorktrees, repository: directory };
  }
  const [, top] = /^(\/.+)\/\.git\/modules\/./.exec(directory) ?? [];
  if (top !== undefined)
    return fails(`this is a submodule of ${top}, where its repository lies${remedy(top, facts)}`);
  const link = worktreeLink(workspace, facts.text(`${workspace}/.git`) ?? '');
  if (!link) return fails(`${quoted(directory)}, which .git names, lies outside of the workspace`);
  const why = refusedLink(workspace, owner, link, facts);
  return why === undefined
    ? { ownPath: true, link, repository: link.common, why: undefined }
    : fails(why);
}

function refusedLink(
  workspace: string,
  owner: number,
  link: WorktreeLink,
  { kind, text, owner: ownerOf }: GitFacts,
): string | undefined {
  const { common } = link;
  if (!isLinkedBack(workspace, link, (path) => text(`${common}/${path}`)))
    return `${quoted(common)}, which .git names, does not know this worktree; see \`git worktree repair\``;
  const missing = gitParts.find((part) => kind(`${common}/${part.name}`) !== part.kind);
  if (missing) return `${quoted(common)} is no git directory: it has no ${missing.name}`;
  if (ownerOf(common) !== owner) return `its repository ${quoted(common)} belongs to somebody else`;
  if (areNested(workspace, common))
    return `the worktree and its repository ${quoted(common)} lie in each other`;
  if (
    /^[ \t]*relativeworktrees[ \t]*(?:=\s*(?!false|no|off|0)|$)/im.test(
      text(`${common}/config`) ?? '',
    )
  )
    return "the git of coi's images is too old for `extensions.relativeWorktrees` of its repository";
  return undefined;
}

/** Filters that are missing inside: of the workspace's own attributes, not of those in directories below it. */
export function filtersMissing(
  workspace: string,
  { repository }: GitPlace,
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

/** A directory in a repository: git finds it from there, but only the directory is mounted. */
function above(workspace: string, facts: GitFacts): GitPlace {
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
  return `; for all of it: coi -w ${word} shell`;
}

/** The shared directory at its own path, where `.git` names it; undefined where nothing can be mounted there. */
export function commonMount(
  { common, id, absolute }: WorktreeLink,
  { isOwnPath, readonly }: { readonly isOwnPath: boolean; readonly readonly: boolean },
): PlannedMount | undefined {
  // The agent does not get into root's home.
  if (hidesGuest(common) || common.startsWith('/root/') || !(absolute || isOwnPath))
    return undefined;
  return { name: 'git', source: common, target: common, readonly, git: id };
}
