// The mounts of --mount, recorded so that they return when the container starts again or is forked. Pure.
import type { ExtraMount, RequestedMount } from '../plan/session-spec.ts';

/** The key's value; empty if there are no such mounts. */
export function requestedMountsText(mounts: readonly RequestedMount[]): string {
  const asked = mounts.flatMap(({ asked: host, target, readonly }): ExtraMount[] =>
    host === undefined ? [] : [{ host, container: target, readonly }],
  );
  return asked.length === 0 ? '' : JSON.stringify(asked);
}

/** Parses the key; empty for a value that coi did not write. */
export function parseRequestedMounts(text: string | undefined): readonly ExtraMount[] {
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
