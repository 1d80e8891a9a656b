// Faults that tests ask for: COI_TEST_FAULT=STEP:before|after:fail|kill ends the program, or the step, right there.

export interface Fault {
  readonly step: string;
  readonly when: 'before' | 'after';
  /** Throws, or kills this very process as `kill -9` would. */
  readonly strike: () => void;
}

/** The fault that the environment asks for, if any. */
export function askedFault(env: Readonly<Record<string, string | undefined>>): Fault | undefined {
  const [, step, when, how] =
    /^([a-z-]+):(before|after):(fail|kill)$/.exec(env['COI_TEST_FAULT'] ?? '') ?? [];
  if (step === undefined || (when !== 'before' && when !== 'after')) return undefined;
  const strike = () => {
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    throw new Error(`the fault that COI_TEST_FAULT asked for: ${step}`);
  };
  return { step, when, strike };
}
