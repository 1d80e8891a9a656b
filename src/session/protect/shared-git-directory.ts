// Restricts the plan for the parent of a shared git directory to that git directory. Each worktree has its own guard with
// other ids at the same depth, and two guards on one inode would cancel each other. Pure.
import { isWithin } from './path-text.ts';
import type { ProtectionPlan, RefusedPath } from './protection-types.ts';

/** `checkouts`: the worktrees of sessions in that directory; relative paths. */
export function restrictPlan(
  plan: ProtectionPlan,
  within: readonly string[],
  checkouts: readonly string[],
): ProtectionPlan {
  const isPart = (path: string) => within.some((directory) => isWithin(path, directory));
  const parts = <T extends { readonly path: string }>(all: readonly T[]) =>
    all.filter(({ path }) => isPart(path));
  // Paths in git's configuration are guarded with the worktree; links in the repository are unknown to it.
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

/** Caused by the part: something in it led there, or its configuration is unreadable. */
function isOfPart({ why, named }: RefusedPath): boolean {
  if (why === 'unread-config' || why === 'crowded') return true;
  return named === undefined && why !== 'mounted';
}

export function checkoutsIn(root: string, checkouts: readonly string[]): string[] {
  return checkouts.flatMap((path) =>
    path.startsWith(`${root}/`) ? [path.slice(root.length + 1)] : [],
  );
}
