// What the guard costs a flow: one connection under which the modes change, each moment of it beside the moments before
// and after. Two connections differ by more than the guard costs, by where the scheduler happens to put their ends.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { NetworkBed } from '../test/network/bed.ts';
import type { Tenant } from '../test/network/tenant.ts';
import { median } from './measure.ts';

export interface NetworkRow {
  readonly title: string;
  readonly value: string;
  readonly budget: string;
  readonly within: boolean;
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

export interface FlowPlan {
  readonly address: string;
  /** Where the other side sends without end, and where it takes everything. */
  readonly ports: { readonly source: number; readonly sink: number };
  /** Connections in each direction. */
  readonly runs: number;
}

/** Of open. */
const budget = 0.95;
const guardedModes = ['restricted', 'allowlist'] as const;
/** In each connection every guarded mode is looked at so often, each time between two looks at open. */
const samplesPerFlow = 6;
/** After a change of the mode, until nft and what it woke have come to rest. */
const restMs = 100;
const sampleMs = 300;
/** With the changes themselves, at up to 150 ms each. */
const flowMs = (guardedModes.length * samplesPerFlow * 2 + 1) * (sampleMs + restMs + 150);

export async function measureFlows(
  { guard }: Pick<NetworkBed, 'guard'>,
  tenant: Tenant,
  { address, ports, runs }: FlowPlan,
  progress: (text: string) => void,
): Promise<NetworkRow[]> {
  const policies = {
    open: tenant.port({ mode: 'open' }),
    restricted: tenant.port({ mode: 'restricted' }),
    allowlist: tenant.port({ mode: 'allowlist', allow: [address] }),
  };
  const rateIn = async (mode: keyof typeof policies, counter: string): Promise<number> => {
    await guard.put(policies[mode]);
    await delay(restMs);
    return rate(tenant.hostName, counter);
  };
  const rows: NetworkRow[] = [];
  for (const kind of ['load', 'unload'] as const) {
    const port = kind === 'load' ? ports.source : ports.sink;
    const counter = kind === 'load' ? 'tx_bytes' : 'rx_bytes';
    const ratios: Record<(typeof guardedModes)[number], number[]> = {
      restricted: [],
      allowlist: [],
    };
    const open: number[] = [];
    for (let run = 1; run <= runs; run += 1) {
      progress(`flow: ${kind} ${run} of ${runs}`);
      await guard.put(policies.open);
      const flow = tenant.task({ kind, address, port, ms: flowMs });
      let before = await rateIn('open', counter);
      for (let look = 0; look < samplesPerFlow * guardedModes.length; look += 1) {
        const mode = guardedModes[look % guardedModes.length] ?? 'restricted';
        const guarded = await rateIn(mode, counter);
        const after = await rateIn('open', counter);
        ratios[mode].push(guarded / ((before + after) / 2));
        open.push(after);
        before = after;
      }
      await flow;
      await guard.remove(tenant.hostName);
    }
    const openRate = median(open) ?? Number.NaN;
    for (const mode of guardedModes) {
      const ratio = median(ratios[mode]) ?? Number.NaN;
      const error = standardError(ratios[mode]);
      rows.push({
        title: `${mode}: a flow ${kind === 'load' ? 'in' : 'out'}`,
        value: `${ratio.toFixed(2)} ± ${error.toFixed(2)} x open (${(openRate * 8e-9).toFixed(1)} Gbit/s)`,
        budget: `>= ${budget} x open`,
        within: ratio >= budget,
        samples: { ratios: ratios[mode], open },
      });
    }
  }
  return rows;
}

/** Bytes a second over that interface, from now on for the time of a look. */
async function rate(hostName: string, counter: string): Promise<number> {
  const path = `/sys/class/net/${hostName}/statistics/${counter}`;
  const [from, fromMs] = [Number(await readFile(path, 'utf8')), performance.now()];
  await delay(sampleMs);
  const [to, toMs] = [Number(await readFile(path, 'utf8')), performance.now()];
  if (to === from) throw new Error('the flow ended before it was looked at');
  return ((to - from) * 1000) / (toMs - fromMs);
}

/** Of the median: 1.25 times that of a mean, with the spread taken from the quartiles. */
function standardError(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  const spread = (at(0.75) - at(0.25)) / 1.35;
  return (1.25 * spread) / Math.sqrt(sorted.length);
}
