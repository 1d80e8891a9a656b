// What of a directory is guarded where it only holds a directory of git that worktrees share: that one, and nothing beside it.
// Each worktree has a guard of its own, with other ids at the same depth: two on one inode would lift each other. Pure.
import { isWithin } from './path-text.ts';
import type { ProtectionPlan, RefusedPath } from './protection-types.ts';

/** `checkouts`: the worktrees of sessions, as far as they lie in that directory; relative paths. */
export function partOf(
  plan: ProtectionPlan,
  within: readonly string[],
  checkouts: readonly string[],
): ProtectionPlan {
  const isPart = (path: string) => within.some((directory) => isWithin(path, directory));
  const parts = <T extends { readonly path: string }>(all: readonly T[]) =>
    all.filter(({ path }) => isPart(path));
  // What git's configuration names there is guarded with the worktree; a link of the repository's is not known to it.
  const led = [...plan.leaves.map(({ path }) => path), ...plan.missing].filter(
    (path) =>
      !isPart(path) && !plan.named.has(path) && checkouts.some((top) => isWithin(path, top)),
  );
  return {
    ...plan,
    ancestors: parts(plan.ancestors),
    leaves: parts(plan.leaves),
    placeholders: parts(plan.placeholders),
    missing: plan.missing.filter(isPart),
    whole: plan.whole.filter(isPart),
    refused: [
      ...plan.refused.filter((refused) => isPart(refused.path) || isOfPart(refused)),
      ...led.map((path) => ({ path, why: 'worktree' as const, asked: path })),
    ],
  };
}

/** Something in the part led there, or what is named in the part is not known. */
function isOfPart({ why, named }: RefusedPath): boolean {
  if (why === 'unread-config' || why === 'crowded') return true;
  return named === undefined && why !== 'mounted';
}

export function checkoutsIn(root: string, checkouts: readonly string[]): string[] {
  return checkouts.flatMap((path) =>
    path.startsWith(`${root}/`) ? [path.slice(root.length + 1)] : [],
  );
}
