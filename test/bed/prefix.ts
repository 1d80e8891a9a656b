// Names of what tests make, so that tests that run beside each other and their sweeps never meet.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';

/** All that a test makes on the machine starts with this. */
export const testPrefix = 'coit';

/** Of this process. */
const given = new Set<string>();

/** A container prefix of its own for one test: `coit-<6 hex>-`, for COI_CONTAINER_PREFIX. */
export function newPrefix(): string {
  if (given.size === 0 && process.env['NODE_TEST_CONTEXT'] !== undefined) sweepWhenInterrupted();
  const prefix = `${testPrefix}-${randomBytes(3).toString('hex')}-`;
  given.add(prefix);
  return prefix;
}

/** A file of tests that is told to end takes away what it made: nobody else knows what that is. */
function sweepWhenInterrupted(): void {
  let begun = false;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, async () => {
      // The runner of the files passes on what all of them have got.
      if (begun) return;
      begun = true;
      // Whoever read this process's words may be gone.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
      const { sweepPrefixes } = await import('./sweep.ts');
      await sweepPrefixes([...given]).finally(() => process.exit(128 + constants.signals[name]));
    });
  }
}

/** A name for an account, which may hold no dash at the end and at most 32 characters. */
export function newAccountName(): string {
  return `${testPrefix}${randomBytes(4).toString('hex')}`;
}
