// Names of a coid's nftables table and DNS port, so that a second coid for experiments does not collide. Pure.
import { createHash } from 'node:crypto';
import { defaultRunDir } from '../../coid-api/protocol.ts';

const defaultDnsPort = 7453;
const otherPorts = { from: 20_000, count: 10_000 };

/** The nftables table and DNS port for a run directory. */
export function tableNames(runDir: string): { readonly table: string; readonly dnsPort: number } {
  if (runDir === defaultRunDir) return { table: 'coi', dnsPort: defaultDnsPort };
  const digest = createHash('sha256').update(runDir).digest();
  return {
    table: `coi_${digest.toString('hex').slice(0, 8)}`,
    dnsPort: otherPorts.from + (digest.readUInt32BE() % otherPorts.count),
  };
}
