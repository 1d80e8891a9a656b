// The git directory that a workspace shares with other worktrees of its repository, as a mount of its own: judged by
// what was opened, since a project can bring any file called `.git`.
import { CoiError } from '../../errors.ts';
import { belowDescriptor } from '../../host/fs/beneath.ts';
import type { Source } from '../../host/fs/open-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { quoted } from '../../names.ts';
import { areNested, gitParts, isLinkedBack, worktreeLink } from '../../session/git/worktree.ts';

/** Throws `mount-invalid` unless it is the shared directory of that very workspace, reached through no link, and that user's. */
export function refuseForeignCommon(
  libc: Pick<Libc, 'openat2'>,
  workspace: Source,
  {
    source,
    asked,
    worktree,
    owner,
  }: {
    readonly source: Source;
    readonly asked: string;
    readonly worktree: string | undefined;
    readonly owner: number;
  },
): void {
  using common = belowDescriptor(libc, source.fd);
  using top = belowDescriptor(libc, workspace.fd);
  const link = worktreeLink(workspace.path, top.text('.git') ?? '');
  const isOne =
    link !== undefined &&
    link.common === source.path &&
    link.id === worktree &&
    isLinkedBack(workspace.path, link, (path) => common.text(path));
  if (!isOne || source.path !== asked)
    throw refusal(source, `is not the git directory of ${quoted(workspace.path)}`);
  for (const { name, kind } of gitParts) {
    const stats = common.stats(name);
    if (kind === 'directory' ? !stats?.isDirectory() : !stats)
      throw refusal(source, `is no git directory: it has no ${name}`);
  }
  if (source.stats.uid !== owner) throw refusal(source, 'belongs to somebody else');
  if (areNested(workspace.path, source.path))
    throw refusal(source, 'and the workspace lie in each other');
}

function refusal({ path }: Source, what: string): CoiError {
  return new CoiError('mount-invalid', `the directory ${quoted(path)} ${what}`, {
    hint: 'It changed just now; try again.',
  });
}
