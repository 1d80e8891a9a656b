// Temporary names for files that are written before they are renamed.
import { randomBytes } from 'node:crypto';

export function temporaryName(): string {
  return `.coi-${randomBytes(8).toString('hex')}`;
}

export const temporaryPattern = /^\.coi-[0-9a-f]{16}$/;
