// Which containers have a terminal on them, as Incus itself sees it: the container is not asked. Pure.
import type { OperationData } from '../../incus/shapes.ts';

const instances = '/1.0/instances/';

/** Names of the instances in which a command runs on a terminal. */
export function withTerminal(operations: readonly OperationData[]): ReadonlySet<string> {
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
