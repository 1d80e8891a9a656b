// Validates the git directory that a workspace shares with other worktrees of its repository. The check uses the opened
// directory, because a project can contain any file called `.git`.
import { CoiError } from '../../errors.ts';
import { openBeneathDescriptor } from '../../host/fs/beneath.ts';
import type { OpenSource } from '../../host/fs/open-mount-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { quoted } from '../../names.ts';
import { areNested, gitParts, isLinkedBack, worktreeLink } from '../../session/git/worktree.ts';

/** Throws `mount-invalid` unless it is the shared directory of that workspace, reached without links and owned by the user. */
export function refuseForeignCommon(
  libc: Pick<Libc, 'openat2'>,
  workspace: OpenSource,
  {
    source,
    requestedPath,
    worktree,
    owner,
  }: {
    readonly source: OpenSource;
    readonly requestedPath: string;
    readonly worktree: string | undefined;
    readonly owner: number;
  },
): void {
  using common = openBeneathDescriptor(libc, source.fd);
  using top = openBeneathDescriptor(libc, workspace.fd);
  const link = worktreeLink(workspace.path, top.text('.git') ?? '');
  const isOne =
    link !== undefined &&
    link.common === source.path &&
    link.id === worktree &&
    isLinkedBack(workspace.path, link, (path) => common.text(path));
  if (!isOne || source.path !== requestedPath)
    throw refusal(source, `is not the git directory of ${quoted(workspace.path)}`);
  for (const { name, kind } of gitParts) {
    const stats = common.stats(name);
    if (kind === 'directory' ? !stats?.isDirectory() : !stats)
      throw refusal(source, `is not a git directory: it has no ${name}`);
  }
  if (source.stats.uid !== owner) throw refusal(source, 'belongs to another user');
  if (areNested(workspace.path, source.path)) throw refusal(source, 'and the workspace are nested');
}

function refusal({ path }: OpenSource, what: string): CoiError {
  return new CoiError('mount-invalid', `the directory ${quoted(path)} ${what}`, {
    hint: 'It has just changed; try again.',
  });
}
