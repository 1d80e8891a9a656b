// Reports new listening ports: harmless, but useful later. In the first sample all are new.
import { classifyAddress } from '../addresses.ts';
import type { Detector } from './detector.ts';

export const newListeners: Detector = ({ now, before }) => {
  const known = new Set(before === now ? [] : before.listeners.map(keyOf));
  return now.listeners
    .filter(
      (listener) =>
        listener.protocol === 'tcp' &&
        !known.has(keyOf(listener)) &&
        listener.localAddress !== '127.0.0.1' &&
        listener.localAddress !== '::1',
    )
    .map((listener) => ({
      level: 'info' as const,
      category: 'network' as const,
      title: 'New listener',
      description: `The container listens on ${classifyAddress(listener.localAddress) === 'self' ? 'all addresses' : listener.localAddress}, port ${listener.localPort}.`,
      evidence: { network: { address: listener.localAddress, port: listener.localPort } },
      key: keyOf(listener),
    }));
};

function keyOf({
  protocol,
  localAddress,
  localPort,
}: {
  protocol: string;
  localAddress: string;
  localPort: number;
}): string {
  return `${protocol} ${localAddress} ${localPort}`;
}
