// The audit log of a session, from coid or from a file.
import { readFileSync } from 'node:fs';
import { CoiError } from '../errors.ts';
import { parseContainerName, quoted } from '../names.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';
import { oneContainer } from './targets/workspace-container.ts';

export async function fetchAuditLog(app: AppContext, name: string, after: number, wait: number) {
  const coid = await app.coid();
  return coid.audit(
    name,
    { after, waitMs: wait },
    { signal: app.signal, timeoutMs: wait + 10_000 },
  );
}

/** The log of a deleted container still exists under its full name. `notFound`: the error to throw if it does not. */
export async function auditLogName(
  app: AppContext,
  target: SessionTarget,
  word: string | undefined,
): Promise<{ name: string; notFound?: CoiError }> {
  try {
    return { name: (await oneContainer(app, target, word)).name };
  } catch (error) {
    if (word !== undefined && error instanceof CoiError && error.code === 'session-not-found')
      return { name: parseContainerName(word), notFound: error };
    throw error;
  }
}

export function readAuditFile(path: string): { lines: string[]; head: undefined } {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return { lines, head: undefined };
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = isMissing ? 'does not exist' : 'cannot be read';
    throw new CoiError('failed', `${quoted(path)} ${what}`, { cause });
  }
}
