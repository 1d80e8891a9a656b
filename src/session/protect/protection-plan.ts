// Plans the protection of a workspace. An agent may have left worktrees and submodules that take too long to inspect or
// cannot be guarded: entries that nobody vouches for are then locked as a whole, and the session starts. Pure.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { InspectionScope } from '../git/linked-repositories.ts';
import type { TreeFacts } from './path-walk.ts';
import { buildPlan } from './protect.ts';
import type { ProtectionPlan } from './protection-types.ts';
import { TimeLimitExceeded, withTimeLimit } from './time-limit.ts';

/** Measured: inspecting everything one by one takes less than half of that on a busy machine. */
const limitMs = 400;

const each: InspectionScope = { worktrees: true, modules: true, named: true };
/** Tried in turn until one is possible. */
const fewer: readonly InspectionScope[] = [
  { worktrees: true, modules: false, named: true },
  { worktrees: false, modules: true, named: true },
  { worktrees: false, modules: false, named: true },
];
const none: InspectionScope = { worktrees: false, modules: false, named: false };

/** Throws `unprotected-path` for an invalid path. */
export function protectionPlan(request: ProtectRequest, facts: TreeFacts): ProtectionPlan {
  return firstPossible(request, facts, ({ refused }) => refused.length === 0).plan;
}

/**
 * The most thorough plan that `isPossible` accepts. If it accepts none, the usual plan: then the cause is not what an agent
 * left behind.
 */
export function firstPossible(
  request: ProtectRequest,
  facts: TreeFacts,
  isPossible: (plan: ProtectionPlan) => boolean,
): { readonly plan: ProtectionPlan; readonly isPossible: boolean } {
  const usual = buildWithinTime(request, facts, each);
  if (usual) {
    if (isPossible(usual.plan)) return { plan: usual.plan, isPossible: true };
    const isOfHost = usual.plan.refused.some(({ forLink }) => !forLink);
    if (usual.unvouched === 0 || isOfHost) return { plan: usual.plan, isPossible: false };
  }
  // After a timeout, each of the others would take as long again.
  for (const scope of usual ? fewer : fewer.slice(-1)) {
    const found = buildWithinTime(request, facts, scope);
    if (found && isPossible(found.plan)) return { plan: found.plan, isPossible: true };
    if (found && scope === fewer.at(-1) && usual) return { plan: usual.plan, isPossible: false };
  }
  const { plan } = buildPlan(request, facts, none);
  return { plan, isPossible: isPossible(plan) };
}

function buildWithinTime(request: ProtectRequest, facts: TreeFacts, scope: InspectionScope) {
  try {
    return buildPlan(request, withTimeLimit(facts, limitMs), scope);
  } catch (error) {
    if (error instanceof TimeLimitExceeded) return undefined;
    throw error;
  }
}
