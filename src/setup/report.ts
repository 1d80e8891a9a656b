// Runs checks, and derives the verdict on a host.
import type { Check, CheckContext, Finding, Status } from './check.ts';

export interface CheckResult {
  readonly check: Pick<Check, 'id' | 'title' | 'group' | 'fix'>;
  readonly finding: Finding;
}

export type Verdict = 'healthy' | 'degraded' | 'unhealthy';

/** Exit status of `coi health`. */
export const verdictExit: Readonly<Record<Verdict, number>> = {
  healthy: 0,
  degraded: 1,
  unhealthy: 2,
};

export async function runCheck<G extends CheckContext>(
  check: Check<G>,
  context: G,
): Promise<CheckResult> {
  try {
    return { check, finding: await check.run(context) };
  } catch (error) {
    context.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return { check, finding: { status: 'failed', message: `could not be checked: ${message}` } };
  }
}

/** Runs all checks in parallel: none changes anything. */
export function runChecks<G extends CheckContext>(
  checks: readonly Check<G>[],
  context: G,
): Promise<CheckResult[]> {
  return Promise.all(checks.map((check) => runCheck(check, context)));
}

export function verdict(results: readonly CheckResult[]): Verdict {
  const has = (status: Status) => results.some(({ finding }) => finding.status === status);
  return has('failed') ? 'unhealthy' : has('warning') ? 'degraded' : 'healthy';
}
