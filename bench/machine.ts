// The machine of a measurement.
import { cpus, totalmem } from 'node:os';
import type { Incus } from '../src/incus/client.ts';

export interface Machine {
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly incus: string;
  readonly pool: string;
  readonly image: string;
}

export async function machine(incus: Incus, image: string): Promise<Machine> {
  const { environment } = await incus.server();
  const pool = (await incus.storagePools())[0];
  const [first] = cpus();
  return {
    cpu: `${cpus().length} x ${first?.model.trim() || 'unknown'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: environment.kernel_version,
    node: process.version,
    incus: environment.server_version,
    pool: pool === undefined ? '-' : `${pool.name} (${pool.driver})`,
    image,
  };
}

export function machineLines(found: Machine): string[] {
  return Object.entries(found).map(([name, value]) => `${`${name}:`.padEnd(11)} ${value}`);
}
