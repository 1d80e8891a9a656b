// coid's state on disk: one JSON value per file, written atomically and validated when read.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Schema of a state file, compatible with zod. */
export interface StateShape<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false };
}

/** Replaces the file atomically. `flush` waits until it is on disk, so that it survives a power loss. */
export function writeState(
  path: string,
  text: string,
  { flush }: { readonly flush: boolean },
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
  renameSync(`${path}.new`, path);
}

/** File names in a directory, which is created if missing. Partial files from a crash are removed. */
export function stateFiles(directory: string): string[] {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return readdirSync(directory).filter((name) => {
    const isHalf = name.endsWith('.new');
    if (isHalf) rmSync(join(directory, name), { force: true });
    return !isHalf;
  });
}

/** Undefined if the file is missing, or damaged by a crash. Throws other read errors. */
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
