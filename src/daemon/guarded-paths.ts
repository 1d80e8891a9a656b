// Which paths of a session's workspace are under guard, as it is written down in <state dir>/protect/.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRecord } from './protect/record.ts';

/** Relative to the workspace; none where the guard was only tried, since then nobody knows where it held. */
export function guardedPaths(stateDir: string, mounts: string): readonly string[] {
  const directory = join(stateDir, 'protect');
  for (const name of recordsIn(directory)) {
    const record = readRecord(join(directory, name));
    if (!record?.users.includes(mounts)) continue;
    return record.request.mode === 'guard' ? record.state.entries.map(({ path }) => path) : [];
  }
  return [];
}

function recordsIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    // Nothing was ever guarded.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
