// Delays between Incus events and the reconcile pass that they cause.

/** Long enough not to slow down a start, and to handle sessions that end together in one pass. */
export const eventDelaysMs: Readonly<Record<string, number>> = {
  'instance-stopped': 50,
  'instance-shutdown': 50,
  'instance-deleted': 300,
  'instance-renamed': 50,
  'instance-paused': 50,
  'instance-resumed': 50,
  'instance-started': 500,
  'instance-restarted': 500,
  'instance-updated': 500,
  'instance-created': 1500,
};
