// The result of `coi clean` as JSON. Pure.
import type { Cleanable } from '../../../session/store/cleanable.ts';

export function cleanJson(
  dryRun: boolean,
  found: readonly Cleanable[],
  outcomes: readonly { readonly item: Cleanable; readonly deleted: boolean }[],
): Record<string, unknown> {
  const those = (wanted: boolean) =>
    outcomes.filter(({ deleted }) => deleted === wanted).map(({ item }) => nameOf(item));
  return {
    dry_run: dryRun,
    found: found.map((item) => ({ kind: item.kind, name: nameOf(item), about: item.about })),
    cleaned: those(true),
    failed: those(false),
  };
}

/** The name of a container, or the id of a session. */
function nameOf(item: Cleanable): string {
  return item.kind === 'container' ? item.ref.name : (item.dir.split('/').at(-1) ?? item.dir);
}
