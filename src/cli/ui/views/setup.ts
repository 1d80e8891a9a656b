// What setup says before and after.
import type { RemovalPlan } from '../../../setup/remove/plan.ts';
import type { Probed } from '../../../setup/report.ts';
import { answers } from './health.ts';

/** What setup is about to do. */
export function planText(todo: readonly Probed[]): string[] {
  return [
    'To make this host ready, setup will:',
    ...todo.map(({ finding }) => `  - ${finding.plan}`),
  ];
}

/** What is still not well after setup, with what a person can do. */
export function notReadyText(probed: readonly Probed[]): string[] {
  return probed
    .filter(({ finding }) => finding.status !== 'ok')
    .flatMap(({ check, finding }) => [
      `${finding.status === 'failed' ? 'FAILED ' : 'Warning: '}${check.title}: ${finding.message}`,
      ...answers(finding).map((line) => `  ${line}`),
    ]);
}

/** What a removal is about to do; nothing where there is nothing to do. */
export function removalText({ steps }: RemovalPlan): string[] {
  if (steps.length === 0) return [];
  return ['To take coi off this host, setup will:', ...steps.map(({ plan }) => `  - ${plan}`)];
}

export function stayText({ stays }: RemovalPlan): string[] {
  return stays.length === 0 ? [] : ['It leaves:', ...stays.map((line) => `  - ${line}`)];
}

/** After all of it was done. `given`: what was given up meanwhile. */
export function removalJson(
  { steps, stays }: RemovalPlan,
  given: readonly string[],
): Record<string, unknown> {
  const removed = steps.map(({ act, plan }) => ({ kind: act.kind, about: plan }));
  return { removed, stays: [...stays, ...given] };
}
