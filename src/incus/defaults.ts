// Fills in missing fields: for instances on an unreachable cluster member, and for fields that the caller may not see, Incus
// returns null where its API promises a map or a list. All replies pass through here.
import type {
  Image,
  Instance,
  InstanceFull,
  Network,
  Profile,
  Server,
  StoragePool,
} from './shapes.ts';

/** Incus's value for "never". */
const never = '1970-01-01T00:00:00Z';

const defaults = {
  instance: {
    // Incus's own status for unreachable instances.
    status: 'Error',
    description: '',
    created_at: never,
    last_used_at: never,
    ephemeral: false,
    profiles: [],
    config: {},
    devices: {},
    expanded_config: {},
    expanded_devices: {},
  },
  image: { properties: {}, aliases: [] },
  network: { description: '', config: {}, used_by: [] },
  pool: { description: '', config: {}, used_by: [] },
  profile: { description: '', config: {}, devices: {} },
  server: { api_extensions: [], config: {} },
} as const;

/** Each default is cloned, since callers may modify it. */
function fillDefaults<Shape extends object>(
  found: Shape,
  wanted: Partial<Record<keyof Shape, unknown>>,
): Shape {
  const value = found as Record<string, unknown>;
  for (const [key, usual] of Object.entries(wanted)) {
    if (value[key] === null || value[key] === undefined) value[key] = structuredClone(usual);
  }
  return found;
}

export const withDefaults = {
  instance: <Found extends Instance | InstanceFull>(found: Found): Found =>
    fillDefaults<Instance>(found, defaults.instance) as Found,
  image: (found: Image): Image => fillDefaults(found, defaults.image),
  network: (found: Network): Network => fillDefaults(found, defaults.network),
  pool: (found: StoragePool): StoragePool => fillDefaults(found, defaults.pool),
  profile: (found: Profile): Profile => fillDefaults(found, defaults.profile),
  server: (found: Server): Server => fillDefaults(found, defaults.server),
};

/** Some replies have null instead of an empty list. Null items are dropped. */
export function listWithDefaults<Shape extends object>(
  found: readonly (Shape | null)[] | null,
  each: (one: Shape) => Shape,
): Shape[] {
  return (found ?? []).flatMap((one) => (one === null ? [] : [each(one)]));
}
