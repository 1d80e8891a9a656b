// Cost of the network guard: applying it with 0, 9 and 49 other sessions, a flow through it, an answer of coid's DNS
// server.
import { DnsService } from '../src/daemon/network/dns.ts';
import { type Nft, openNft } from '../src/host/net/nft.ts';
import { type NetworkBed, openNetworkBed } from '../test/network/bed.ts';
import { resolver } from '../test/network/internet.ts';
import type { Tenant } from '../test/network/tenant.ts';
import { measureFlows, type NetworkRow } from './flows.ts';

/** `nftRatio`: on a loaded machine nft alone exceeds the budget; then the limit is relative to nft. */
const budgets = { applyMs: 40, nftRatio: 1.5, answerMs: 8 };
const ports = { source: 9000, sink: 9001 };
const questions = 40;
const target = '93.184.215.14';
type Samples = Record<string, number[]>;

/** Takes interleaved samples, `runs` times each. */
export async function measureNetwork(
  runs: number,
  progress: (text: string) => void,
): Promise<NetworkRow[]> {
  const bed = await openNetworkBed({ internet: { flowPorts: ports } });
  try {
    const tenant = await bed.tenant();
    await bed.net.assertEnclosed(target);
    return [
      ...(await measureApply(bed, tenant, runs, progress)),
      ...(await measureFlows(bed, tenant, { address: target, ports, runs }, progress)),
      await measureAnswer(bed, tenant, progress),
    ];
  } finally {
    await bed.close();
  }
}

/** The other sessions are not started: they cost the guard the same. */
async function measureApply(
  { guard }: NetworkBed,
  tenant: Tenant,
  runs: number,
  progress: (text: string) => void,
): Promise<NetworkRow[]> {
  const modes = {
    restricted: { mode: 'restricted' },
    allowlist: { mode: 'allowlist', allow: ['*.example.org:443', 'example.net'] },
  } as const;
  const rows: NetworkRow[] = [];
  const [nft, table] = [openNft(), `coit_bench_${process.pid}`];
  await nft.apply([
    { add: { table: { family: 'inet', name: table } } },
    { add: { set: { family: 'inet', table, name: 's', type: 'ipv4_addr' } } },
  ]);
  let others = 0;
  for (const count of [1, 10, 50]) {
    progress(`guard: with ${count - 1} others`);
    for (; others < count - 1; others += 1) await guard.put(otherSession(tenant, others));
    const samples: Samples = {};
    for (let run = 0; run < runs; run += 1) {
      addSample(samples, 'nft', await timed(() => applySmallest(nft, table, run)));
      for (const [name, policy] of Object.entries(modes)) {
        addSample(samples, name, await timed(() => guard.put(tenant.port(policy))));
        await guard.remove(tenant.hostName);
      }
    }
    const nftMs = firstQuartile(samples['nft']);
    const limitMs = Math.max(budgets.applyMs, budgets.nftRatio * nftMs);
    for (const name of Object.keys(modes)) {
      const ms = firstQuartile(samples[name]);
      rows.push({
        title: `${name}: applied, as one of ${count}`,
        value: `${ms.toFixed(1)} ms (nft for one element: ${nftMs.toFixed(1)} ms)`,
        budget: `<= ${limitMs.toFixed(0)} ms`,
        within: ms <= limitMs,
        samples,
      });
    }
  }
  await nft.apply([{ delete: { table: { family: 'inet', name: table } } }]);
  for (; others > 0; others -= 1) await guard.remove(otherSession(tenant, others - 1).hostName);
  return rows;
}

/** The smallest nft change, without the verification that a guard requires. */
function applySmallest(nft: Nft, table: string, run: number): Promise<void> {
  const elem = [`192.0.2.${run % 250}`];
  return nft.apply([{ add: { element: { family: 'inet', table, name: 's', elem } } }], () => true);
}

function otherSession(tenant: Tenant, index: number) {
  const number = index.toString(16).padStart(4, '0');
  return {
    ...tenant.port(
      index % 3 === 0 ? { mode: 'allowlist', allow: ['a.example.org'] } : { mode: 'restricted' },
    ),
    hostName: `coiother${number}`,
    mac: `10:66:6a:ee:${number.slice(0, 2)}:${number.slice(2)}`,
    address: `198.18.0.${index + 1}`,
  };
}

/** Each name is new, so its address has to be permitted: the most expensive answer. */
async function measureAnswer(
  { guard, net, dnsPort }: NetworkBed,
  tenant: Tenant,
  progress: (text: string) => void,
): Promise<NetworkRow> {
  progress('DNS answers');
  const ending = new AbortController();
  const dns = new DnsService({
    ...{ guard, port: dnsPort, attached: () => [], log: () => undefined },
    ...{ now: () => new Date(), elapsedMs: () => performance.now(), signal: ending.signal },
  });
  try {
    await dns.listen(tenant.gateway);
    const name = (index: number) => `n${index}.example.org`;
    await net.zone(
      Object.fromEntries(
        Array.from({ length: questions }, (_, index) => [
          name(index),
          { answers: [{ name: name(index), type: 'A', ttl: 5, data: `104.16.1.${index + 1}` }] },
        ]),
      ),
    );
    const samples: Samples = {};
    const allowed = {
      mode: 'allowlist',
      allow: ['*.example.org'],
      dnsServers: [resolver],
    } as const;
    for (let index = 0; index < questions; index += 1) {
      await guard.remove(tenant.hostName);
      const direct = await tenant.dns(name(index), { server: resolver });
      await guard.put(tenant.port(allowed));
      const through = await tenant.dns(name(index));
      if (direct.rcode !== 'NOERROR' || through.rcode !== 'NOERROR')
        throw new Error(`${name(index)}: ${direct.rcode} ${through.rcode}`);
      addSample(samples, 'upstream', direct.tookMs ?? Number.NaN);
      addSample(samples, 'coid', through.tookMs ?? Number.NaN);
    }
    const ms = firstQuartile(samples['coid']) - firstQuartile(samples['upstream']);
    return {
      title: 'allowlist: an answer, over the upstream server',
      value: `${ms.toFixed(1)} ms (upstream: ${firstQuartile(samples['upstream']).toFixed(1)} ms)`,
      budget: `<= ${budgets.answerMs} ms`,
      within: ms <= budgets.answerMs,
      samples,
    };
  } finally {
    ending.abort();
    await guard.remove(tenant.hostName);
  }
}

/** The first quartile: other load on the machine affects the slower samples. */
function firstQuartile(values: readonly number[] = []): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)] ?? Number.NaN;
}

function addSample(samples: Samples, name: string, ms: number): void {
  samples[name] = [...(samples[name] ?? []), ms];
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}
