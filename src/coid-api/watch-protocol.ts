// What coid tells the watcher of a user's sessions (app/events/run-watcher.ts) on its stdin: a line of JSON at every change.
import type { Instance } from '../incus/shapes.ts';
import { keys } from '../instance-keys.ts';

export interface WatchInput {
  /** All containers of sessions of the user. */
  readonly instances: readonly WatchedInstance[];
}

/** `config`: only the keys that the watcher reads. */
export type WatchedInstance = Pick<Instance, 'name' | 'status' | 'last_used_at' | 'config'>;

const watchedKeys: readonly string[] = [
  ...[keys.version, keys.workspace, keys.target, keys.slot, keys.tool, keys.session],
  ...[keys.persistent, keys.alias, keys.owner, keys.network, keys.mounts, keys.phase, keys.alert],
];

export function watchedInstance({
  name,
  status,
  last_used_at,
  config,
}: WatchedInstance): WatchedInstance {
  const kept = Object.entries(config).filter(([key]) => watchedKeys.includes(key));
  return { name, status, last_used_at, config: Object.fromEntries(kept) };
}

/** coid wrote it, so only its syntax can be wrong: throws SyntaxError. */
export function parseWatchInput(line: string): WatchInput {
  return JSON.parse(line) as WatchInput;
}
