// Sets up a host: runs each check in turn, fixes it if setup can, and runs it again.
import type { Check, CheckContext, Finding } from './check.ts';
import { type CheckResult, runCheck } from './report.ts';

type Titled = Pick<Check, 'title'>;

export type SetupEvent =
  | { readonly kind: 'started'; readonly check: Titled; readonly plan: string }
  | {
      readonly kind: 'ended';
      readonly check: Titled;
      readonly finding: Finding;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly check: Titled;
      readonly error: unknown;
      readonly elapsedMs: number;
    };

export interface SetupOptions {
  readonly checks: readonly Check[];
  readonly onEvent: (event: SetupEvent) => void;
  readonly elapsedMs: () => number;
}

/** The results that setup can fix. */
export function fixableResults(results: readonly CheckResult[]): CheckResult[] {
  return results.filter(
    ({ check, finding }) => finding.plan !== undefined && check.fix !== undefined,
  );
}

/**
 * Fixes what it can, in order, and returns the results of all checks afterwards.
 * Stops at the first fix that throws, since later checks depend on it; what it cannot fix is only reported.
 * Safe to interrupt: every fix can be repeated, and skips what is already done.
 */
export async function runSetup(
  context: CheckContext,
  { checks, onEvent, elapsedMs }: SetupOptions,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    context.signal.throwIfAborted();
    const before = await runCheck(check, context);
    const { plan } = before.finding;
    if (plan === undefined || check.fix === undefined) {
      results.push(before);
      continue;
    }
    const startedMs = elapsedMs();
    onEvent({ kind: 'started', check, plan });
    try {
      await check.fix(context);
    } catch (error) {
      onEvent({ kind: 'failed', check, error, elapsedMs: elapsedMs() - startedMs });
      throw error;
    }
    const after = await runCheck(check, context);
    onEvent({ kind: 'ended', check, finding: after.finding, elapsedMs: elapsedMs() - startedMs });
    results.push(after);
  }
  return results;
}
