// Fault injection for tests: COI_TEST_FAULT=STEP:before|after:fail|kill fails the step or kills the program at that point.

export interface Fault {
  readonly step: string;
  readonly when: 'before' | 'after';
  /** Throws, or kills this process like `kill -9`. */
  readonly trigger: () => void;
}

/** The fault from the environment, if any. */
export function requestedFault(
  env: Readonly<Record<string, string | undefined>>,
): Fault | undefined {
  const [, step, when, how] =
    /^([a-z-]+):(before|after):(fail|kill)$/.exec(env['COI_TEST_FAULT'] ?? '') ?? [];
  if (step === undefined || (when !== 'before' && when !== 'after')) return undefined;
  const strike = () => {
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    throw new Error(`fault requested by COI_TEST_FAULT: ${step}`);
  };
  return { step, when, trigger: strike };
}
