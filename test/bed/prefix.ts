// Unique names for test objects, so that parallel tests and their sweeps do not collide.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';

/** Every object that a test creates on the machine starts with this. */
export const testPrefix = 'coit';

/** Prefixes of this process. */
const usedPrefixes = new Set<string>();

/** A unique container prefix for one test: `coit-<6 hex>-`, for COI_CONTAINER_PREFIX. */
export function newPrefix(): string {
  if (usedPrefixes.size === 0 && isTestFile()) sweepWhenInterrupted();
  const prefix = `${testPrefix}-${randomBytes(3).toString('hex')}-`;
  usedPrefixes.add(prefix);
  return prefix;
}

/** Whether this process runs a file of tests, by `npm test` (scripts/suites.ts) or by `node --test`. */
function isTestFile(): boolean {
  return (
    process.execArgv.includes('--test-force-exit') || process.env['NODE_TEST_CONTEXT'] !== undefined
  );
}

/** An interrupted test file removes what it created: no other process knows about it. */
function sweepWhenInterrupted(): void {
  let sweeping = false;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, async () => {
      // The test runner forwards a signal that all its files have received already.
      if (sweeping) return;
      sweeping = true;
      // The reader of this process's output may be gone.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
      const { sweepPrefixes } = await import('./sweep.ts');
      await sweepPrefixes([...usedPrefixes]).finally(() =>
        process.exit(128 + constants.signals[name]),
      );
    });
  }
}

/** An account name: no trailing dash, at most 32 characters. */
export function newAccountName(): string {
  return `${testPrefix}${randomBytes(4).toString('hex')}`;
}
