// Names of what a coid has in the kernel and on the network, so that one for experiments keeps out of the usual one's way. Pure.
import { createHash } from 'node:crypto';
import { defaultRunDir } from '../../coid-api/protocol.ts';

const usualDnsPort = 7453;
const otherPorts = { from: 20_000, count: 10_000 };

/** The nftables tables and the port on which coid answers DNS, by the run directory. */
export function placesOf(runDir: string): { readonly table: string; readonly dnsPort: number } {
  if (runDir === defaultRunDir) return { table: 'coi', dnsPort: usualDnsPort };
  const digest = createHash('sha256').update(runDir).digest();
  return {
    table: `coi_${digest.toString('hex').slice(0, 8)}`,
    dnsPort: otherPorts.from + (digest.readUInt32BE() % otherPorts.count),
  };
}
