// coid's own state on disk: one JSON value a file. It is written as a whole or not at all, and read only as what it should be.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a state file holds, as zod and others have it. */
export interface StateShape<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false };
}

/** The old one stays until the new one is whole. `flush`: it outlives a loss of power, for which this waits. */
export function writeState(
  path: string,
  text: string,
  { flush }: { readonly flush: boolean },
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
  renameSync(`${path}.new`, path);
}

/** Names of the files of a directory, which is made where it is missing. Halves that a crash has left are removed. */
export function stateFiles(directory: string): string[] {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return readdirSync(directory).filter((name) => {
    const isHalf = name.endsWith('.new');
    if (isHalf) rmSync(join(directory, name), { force: true });
    return !isHalf;
  });
}

/** Undefined where there is none, or one that a crash has damaged. Throws what else keeps it from being read. */
export function readState<T>(path: string, shape: StateShape<T>): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = shape.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
