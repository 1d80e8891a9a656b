// Cost of the guard for a flow: the mode changes during one connection, and each sample is compared with those before
// and after it. Two connections differ by more than the guard costs, depending on where the scheduler puts their ends.
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
  /** Ports on which the other side sends endlessly, and accepts everything. */
  readonly ports: { readonly source: number; readonly sink: number };
  /** Connections in each direction. */
  readonly runs: number;
}

/** As a fraction of the rate in mode open. */
const budget = 0.95;
const guardedModes = ['restricted', 'allowlist'] as const;
/** Samples of each guarded mode per connection, each between two samples of mode open. */
const samplesPerFlow = 6;
/** Pause after a mode change, until its side effects have ended. */
const restMs = 100;
const sampleMs = 300;
/** Includes the mode changes, of up to 150 ms each. */
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
      for (let sample = 0; sample < samplesPerFlow * guardedModes.length; sample += 1) {
        const mode = guardedModes[sample % guardedModes.length] ?? 'restricted';
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

/** Bytes per second over that interface, during one sample. */
async function rate(hostName: string, counter: string): Promise<number> {
  const path = `/sys/class/net/${hostName}/statistics/${counter}`;
  const [from, fromMs] = [Number(await readFile(path, 'utf8')), performance.now()];
  await delay(sampleMs);
  const [to, toMs] = [Number(await readFile(path, 'utf8')), performance.now()];
  if (to === from) throw new Error('the flow ended before it was measured');
  return ((to - from) * 1000) / (toMs - fromMs);
}

/** Standard error of the median: 1.25 times that of a mean, with the spread taken from the quartiles. */
function standardError(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  const spread = (at(0.75) - at(0.25)) / 1.35;
  return (1.25 * spread) / Math.sqrt(sorted.length);
}
