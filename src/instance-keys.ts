// The keys by which coi knows its containers and images again. Incus keeps them; nothing inside a container can change them.

/** Of containers of sessions (session/record/instance-record.ts). */
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
   * Written before a snapshot of an ephemeral session: Incus's generation of the instance then. A restore brings the key
   * back, but gives the instance a new generation, and so a restored container is told from the one that was copied.
   */
  generation: 'user.coi.generation',
  /** A container that an image is built in. */
  build: 'user.coi.build',
} as const;

/** Of images, as properties. */
export const imageKeys = {
  recipe: 'user.coi.recipe',
  variant: 'user.coi.variant',
  maker: 'user.coi.maker',
  base: 'user.coi.base',
  baseName: 'user.coi.base_name',
  built: 'user.coi.built',
} as const;
