// `coi network …` as text. Pure.
import type { NetworkReport, PolicyRecord } from '../../../coid-api/network-protocol.ts';
import type { Judgement, Refusal } from '../../../network/explain.ts';
import { oneLine } from '../../../printable.ts';

export function policyLines(policy: PolicyRecord): string[] {
  const rows: [string, string][] = [['Mode', policy.mode]];
  if (policy.mode === 'allowlist') rows.push(['Allowed', policy.allow.join(', ') || 'nothing']);
  if (policy.mode !== 'open') {
    rows.push([
      'Private networks',
      policy.allowLocal || (!policy.blockPrivate && policy.mode === 'restricted')
        ? 'allowed'
        : 'refused',
    ]);
    rows.push(['Metadata services', policy.blockMetadata ? 'refused' : 'allowed']);
    if (policy.allowedPorts.length > 0) rows.push(['Ports', policy.allowedPorts.join(', ')]);
    if (policy.dnsServers.length > 0) rows.push(['Name servers', policy.dnsServers.join(', ')]);
    for (const { address, names, ports } of policy.hosts)
      rows.push([
        'Host',
        `${names.join(', ')} at ${address}${ports.length > 0 ? `, ports ${ports.join(', ')}` : ''}`,
      ]);
  }
  return rows.map(([name, value]) => `  ${`${name}:`.padEnd(18)} ${oneLine(value)}`);
}

export function showLines(report: NetworkReport): string[] {
  return [
    report.container,
    ...policyLines(report.policy),
    ...report.permits.map(
      ({ entry, until }) => `  ${'Opened:'.padEnd(18)} ${oneLine(entry)} until ${until}`,
    ),
    `  ${'Guard:'.padEnd(18)} ${report.inForce ? `active on ${report.interface} (${report.address})` : 'NOT ACTIVE'}`,
    `  ${'Recently refused:'.padEnd(18)} ${report.denials.length} destinations, ${report.names.length} names`,
  ];
}

export function judgementLines({ destination, verdict, rule, about, permit }: Judgement): string[] {
  return [
    `${oneLine(destination)}: ${verdict} by ${rule} (${oneLine(about)})`,
    ...(permit === undefined ? [] : [`  To allow it: ${oneLine(permit)}`]),
  ];
}

export function refusalLine({ at, destination, rule, about, permit }: Refusal): string {
  return `${at}  ${oneLine(destination)}  ${rule}: ${oneLine(about)}${permit === undefined ? '' : `; to allow it: ${oneLine(permit)}`}`;
}
