// Names under which whole files are written before they take their place.
import { randomBytes } from 'node:crypto';

export function temporaryName(): string {
  return `.coi-${randomBytes(8).toString('hex')}`;
}

export const temporaryPattern = /^\.coi-[0-9a-f]{16}$/;
