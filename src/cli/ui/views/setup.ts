// The output of setup. Pure.
import type { RemovalPlan } from '../../../setup/remove/plan.ts';
import type { CheckResult } from '../../../setup/report.ts';
import { remedies } from './health.ts';

/** The planned steps of setup. */
export function planText(todo: readonly CheckResult[]): string[] {
  return ['To prepare this host, setup will:', ...todo.map(({ finding }) => `  - ${finding.plan}`)];
}

/** Remaining problems after setup, with a way to fix each. */
export function notReadyText(results: readonly CheckResult[]): string[] {
  return results
    .filter(({ finding }) => finding.status !== 'ok')
    .flatMap(({ check, finding }) => [
      `${finding.status === 'failed' ? 'FAILED ' : 'Warning: '}${check.title}: ${finding.message}`,
      ...remedies(finding).map((line) => `  ${line}`),
    ]);
}

/** The planned steps of a removal; empty if there are none. */
export function removalText({ steps }: RemovalPlan): string[] {
  if (steps.length === 0) return [];
  return ['To remove coi from this host, setup will:', ...steps.map(({ plan }) => `  - ${plan}`)];
}

export function keptText({ remaining }: RemovalPlan): string[] {
  return remaining.length === 0 ? [] : ['It keeps:', ...remaining.map((line) => `  - ${line}`)];
}

/** The result of a removal. `abandoned`: work of coid that was abandoned. */
export function removalJson(
  { steps, remaining }: RemovalPlan,
  abandoned: readonly string[],
): Record<string, unknown> {
  const removed = steps.map(({ action, plan }) => ({ kind: action.kind, about: plan }));
  return { removed, stays: [...remaining, ...abandoned] };
}
