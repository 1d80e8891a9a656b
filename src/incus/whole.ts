// Fills in what Incus leaves out: for what lies on a cluster member that it cannot reach, and for what the caller may not see,
// it says null where its API promises a map or a list. All answers pass here, so that no reader has to know.
import type {
  Image,
  Instance,
  InstanceFull,
  Network,
  Profile,
  Server,
  StoragePool,
} from './shapes.ts';

/** Incus's own word for a moment that never was. */
const never = '1970-01-01T00:00:00Z';

const defaults = {
  instance: {
    // As Incus itself calls what it cannot reach.
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

/** Fresh values each time: whoever gets one may change it. */
function filled<Shape extends object>(
  found: Shape,
  wanted: Partial<Record<keyof Shape, unknown>>,
): Shape {
  const value = found as Record<string, unknown>;
  for (const [key, usual] of Object.entries(wanted)) {
    if (value[key] === null || value[key] === undefined) value[key] = structuredClone(usual);
  }
  return found;
}

export const whole = {
  instance: <Found extends Instance | InstanceFull>(found: Found): Found =>
    filled<Instance>(found, defaults.instance) as Found,
  image: (found: Image): Image => filled(found, defaults.image),
  network: (found: Network): Network => filled(found, defaults.network),
  pool: (found: StoragePool): StoragePool => filled(found, defaults.pool),
  profile: (found: Profile): Profile => filled(found, defaults.profile),
  server: (found: Server): Server => filled(found, defaults.server),
};

/** An empty list is null in some answers. What is no object in it is left out. */
export function wholeList<Shape extends object>(
  found: readonly (Shape | null)[] | null,
  each: (one: Shape) => Shape,
): Shape[] {
  return (found ?? []).flatMap((one) => (one === null ? [] : [each(one)]));
}
