// What of a workspace is guarded. An agent that worked there may have left worktrees and submodules that take for ever to look
// at, or that cannot be guarded: what nobody vouches for is then held as a whole, and the session starts. Pure.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { Looking } from '../git/links.ts';
import type { TreeFacts } from './path-walk.ts';
import { planFor } from './protect.ts';
import type { ProtectionPlan } from './protection-types.ts';
import { TookTooLong, timed } from './timed-facts.ts';

/** Measured: all that is looked at one by one takes less than half of it on a busy machine. */
const limitMs = 400;

const each: Looking = { worktrees: true, modules: true, named: true };
/** In turn, until one is possible. */
const fewer: readonly Looking[] = [
  { worktrees: true, modules: false, named: true },
  { worktrees: false, modules: true, named: true },
  { worktrees: false, modules: false, named: true },
];
const none: Looking = { worktrees: false, modules: false, named: false };

/** Throws `unprotected-path` for a path that is none. */
export function protectionPlan(request: ProtectRequest, facts: TreeFacts): ProtectionPlan {
  return firstPossible(request, facts, ({ refused }) => refused.length === 0).plan;
}

/**
 * The plan that looks at the most and that `isPossible` says can be carried out; if none is, what the usual one comes to:
 * it is not for what an agent left there.
 */
export function firstPossible(
  request: ProtectRequest,
  facts: TreeFacts,
  isPossible: (plan: ProtectionPlan) => boolean,
): { readonly plan: ProtectionPlan; readonly isPossible: boolean } {
  const usual = withinTime(request, facts, each);
  if (usual) {
    if (isPossible(usual.plan)) return { plan: usual.plan, isPossible: true };
    const isOfHost = usual.plan.refused.some(({ forLink }) => !forLink);
    if (usual.strangers === 0 || isOfHost) return { plan: usual.plan, isPossible: false };
  }
  // Each of them would take as long again.
  for (const looking of usual ? fewer : fewer.slice(-1)) {
    const found = withinTime(request, facts, looking);
    if (found && isPossible(found.plan)) return { plan: found.plan, isPossible: true };
    if (found && looking === fewer.at(-1) && usual) return { plan: usual.plan, isPossible: false };
  }
  const { plan } = planFor(request, facts, none);
  return { plan, isPossible: isPossible(plan) };
}

function withinTime(request: ProtectRequest, facts: TreeFacts, looking: Looking) {
  try {
    return planFor(request, timed(facts, limitMs), looking);
  } catch (error) {
    if (error instanceof TookTooLong) return undefined;
    throw error;
  }
}
