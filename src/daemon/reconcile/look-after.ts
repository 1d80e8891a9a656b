// When coid looks at the world after something happened in Incus.

/** How long after an event to look: what a start causes must not slow it down, and ends that come together need one look. */
export const lookAfterMs: Readonly<Record<string, number>> = {
  'instance-stopped': 50,
  'instance-shutdown': 50,
  'instance-deleted': 300,
  'instance-renamed': 50,
  'instance-started': 500,
  'instance-restarted': 500,
  'instance-updated': 500,
  'instance-created': 1500,
};
