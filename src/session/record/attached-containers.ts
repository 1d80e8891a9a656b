// Containers with an attached terminal, according to Incus; the container is not asked. Pure.
import type { OperationData } from '../../incus/shapes.ts';

const instances = '/1.0/instances/';

/** Names of the instances with a command on a terminal. */
export function containersWithTerminal(operations: readonly OperationData[]): ReadonlySet<string> {
  const running = operations.filter(
    ({ class: kind, status, metadata }) =>
      kind === 'websocket' && status === 'Running' && metadata?.['interactive'] === true,
  );
  const urls = running.flatMap(({ resources }) => resources?.['instances'] ?? []);
  return new Set(
    urls.flatMap((url) => {
      const [path = ''] = url.split('?');
      return path.startsWith(instances) ? [decodeURIComponent(path.slice(instances.length))] : [];
    }),
  );
}
