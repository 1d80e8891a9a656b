// The state of a host as data: every check's finding, and the verdict over them.
import type { Check, Finding, Ground, Status } from './check.ts';

export interface Probed {
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

export async function probe<G extends Ground>(check: Check<G>, ground: G): Promise<Probed> {
  try {
    return { check, finding: await check.probe(ground) };
  } catch (error) {
    ground.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return { check, finding: { status: 'failed', message: `could not be checked: ${message}` } };
  }
}

/** Probes all at the same time: none changes anything. */
export function probeAll<G extends Ground>(
  checks: readonly Check<G>[],
  ground: G,
): Promise<Probed[]> {
  return Promise.all(checks.map((check) => probe(check, ground)));
}

export function verdict(probed: readonly Probed[]): Verdict {
  const has = (status: Status) => probed.some(({ finding }) => finding.status === status);
  return has('failed') ? 'unhealthy' : has('warning') ? 'degraded' : 'healthy';
}
