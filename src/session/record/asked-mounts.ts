// What --mount gave a container, written down so that it is there again when the container starts again or is forked. Pure.
import type { ExtraMount, MaybeAsked } from '../plan/session-wish.ts';

/** The key's value; empty if there is nothing to write down. */
export function askedText(mounts: readonly MaybeAsked[]): string {
  const asked = mounts.flatMap(({ asked: host, target, readonly }): ExtraMount[] =>
    host === undefined ? [] : [{ host, container: target, readonly }],
  );
  return asked.length === 0 ? '' : JSON.stringify(asked);
}

/** Reads the key; nothing of a value that coi did not write. */
export function parseAsked(text: string | undefined): readonly ExtraMount[] {
  if (!text) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isMount) ? value : [];
  } catch {
    return [];
  }
}

function isMount(value: unknown): value is ExtraMount {
  const { host, container, readonly } = (value ?? {}) as Partial<Record<string, unknown>>;
  return (
    typeof host === 'string' &&
    host.startsWith('/') &&
    typeof container === 'string' &&
    typeof readonly === 'boolean'
  );
}
