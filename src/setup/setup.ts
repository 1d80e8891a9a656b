// Makes a host ready: each check is probed when its turn comes, mended if setup can, and probed again.
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

/** The checks that setup has something to do for, as they are now. */
export function fixableResults(probed: readonly CheckResult[]): CheckResult[] {
  return probed.filter(
    ({ check, finding }) => finding.plan !== undefined && check.fix !== undefined,
  );
}

/**
 * Mends what can be mended, in order, and returns how everything is afterwards.
 * Stops at the first fix that throws, since what follows stands on it; what cannot be mended is only reported.
 * Safe to interrupt: every fix may be run again, and what it did already is found done.
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
