// What setup says before and after.
import type { Probed } from '../../setup/report.ts';
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
