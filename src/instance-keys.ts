// The Incus keys that identify coi's containers and images. Nothing inside a container can change them.

/** Keys of session containers (session/record/instance-record.ts). */
export const keys = {
  version: 'user.coi.version',
  workspace: 'user.coi.workspace',
  realWorkspace: 'user.coi.workspace_real',
  target: 'user.coi.target',
  slot: 'user.coi.slot',
  tool: 'user.coi.tool',
  session: 'user.coi.session',
  persistent: 'user.coi.persistent',
  alias: 'user.coi.alias',
  profile: 'user.coi.profile',
  owner: 'user.coi.owner',
  network: 'user.coi.network',
  policy: 'user.coi.policy',
  nameserver: 'user.coi.nameserver',
  mounts: 'user.coi.mounts',
  askedMounts: 'user.coi.asked_mounts',
  phase: 'user.coi.phase',
  monitor: 'user.coi.monitor',
  alert: 'user.coi.alert',
  ports: 'user.coi.ports',
  maxDuration: 'user.coi.max_duration',
  timeOver: 'user.coi.time_over',
  /**
   * The instance's generation in Incus, written before a snapshot of an ephemeral session. A restore brings back the key,
   * but gives the instance a new generation: that distinguishes a restored container from the original one.
   */
  generation: 'user.coi.generation',
  /** Marks a container in which an image is built. */
  build: 'user.coi.build',
} as const;

/** Properties of images. */
export const imageKeys = {
  recipe: 'user.coi.recipe',
  variant: 'user.coi.variant',
  maker: 'user.coi.maker',
  base: 'user.coi.base',
  baseName: 'user.coi.base_name',
  built: 'user.coi.built',
} as const;
