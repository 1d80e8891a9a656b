// Reads the guarded paths of a session from the records in <state dir>/protect/.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { isWithin } from '../../session/protect/path-text.ts';
import { readRecord } from '../protect/guard/record.ts';

/**
 * Relative to the workspace, absolute in a shared git directory. None in watch mode, in which it is unknown which paths
 * could be guarded.
 */
export function guardedPaths(
  stateDir: string,
  { id, mounts }: Pick<MountRecord, 'id' | 'mounts'>,
): readonly string[] {
  const directory = join(stateDir, 'protect');
  const common = mounts.find(({ git }) => git !== undefined)?.source;
  return recordsIn(directory).flatMap((name) => {
    const record = readRecord(join(directory, name));
    if (!record?.users.includes(id) || record.request.mode !== 'guard') return [];
    const paths = record.state.entries.map(({ path }) => path);
    if (common === undefined || record.root !== dirname(common)) return paths;
    return paths.map((path) => join(record.root, path)).filter((path) => isWithin(path, common));
  });
}

function recordsIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    // No workspace was ever guarded.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
