// The built program under test, started as users start it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of `./coi`, or `$COI_TEST_PROGRAM` (a release binary, for example). Throws if nothing is built, since an
 * ordinary user could not build it here.
 */
export function coiPath(): string {
  const other = process.env['COI_TEST_PROGRAM'];
  if (other) return other;
  const path = fileURLToPath(new URL('../../coi', import.meta.url));
  const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  if (!existsSync(built)) throw new Error('nothing is built: run `npm run build` first');
  return path;
}
