// The audit log of a session, from coid or from a file.
import { readFileSync } from 'node:fs';
import { CoiError } from '../errors.ts';
import { parseContainerName, quoted } from '../names.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';
import { oneContainer } from './targets/workspace-container.ts';

export async function ask(app: AppContext, name: string, after: number, wait: number) {
  const coid = await app.coid();
  return coid.audit(
    name,
    { after, waitMs: wait },
    { signal: app.signal, timeoutMs: wait + 10_000 },
  );
}

/** A container that is gone is named in full: its log is still there. `notFound` is what to say where it is not. */
export async function logName(
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

export function readLog(path: string): { lines: string[]; head: undefined } {
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
