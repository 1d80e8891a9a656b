// Names of what tests make, so that tests that run beside each other and their sweeps never meet.
import { randomBytes } from 'node:crypto';

/** All that a test makes on the machine starts with this. */
export const testPrefix = 'coit';

/** A container prefix of its own for one test: `coit-<6 hex>-`, for COI_CONTAINER_PREFIX. */
export function newPrefix(): string {
  return `${testPrefix}-${randomBytes(3).toString('hex')}-`;
}

/** A name for an account, which may hold no dash at the end and at most 32 characters. */
export function newAccountName(): string {
  return `${testPrefix}${randomBytes(4).toString('hex')}`;
}
