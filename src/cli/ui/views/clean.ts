// What `coi clean` found and did, as JSON. Pure.
import type { Cleanable } from '../../../session/store/cleaning.ts';

export function cleanJson(
  dryRun: boolean,
  found: readonly Cleanable[],
  outcomes: readonly { readonly item: Cleanable; readonly gone: boolean }[],
): Record<string, unknown> {
  const those = (wanted: boolean) =>
    outcomes.filter(({ gone }) => gone === wanted).map(({ item }) => nameOf(item));
  return {
    dry_run: dryRun,
    found: found.map((item) => ({ kind: item.kind, name: nameOf(item), about: item.about })),
    cleaned: those(true),
    failed: those(false),
  };
}

/** A container's name, a session's id. */
function nameOf(item: Cleanable): string {
  return item.kind === 'container' ? item.ref.name : (item.dir.split('/').at(-1) ?? item.dir);
}
