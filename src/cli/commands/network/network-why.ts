// `coi network why`: the rule that applies to a host.
import { parseAddress } from '../../../addresses/ipv4.ts';
import { configuredPolicy, liveReports, resolveHost } from '../../../app/network/sessions.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { parseDestination } from '../../../network/decide.ts';
import { judge, reachOf } from '../../../network/explain.ts';
import type { App } from '../../app.ts';
import { judgementLines } from '../../ui/views/network.ts';
import { type NetworkOptions, networkRequest } from './network-options.ts';

export async function printWhy(app: App, options: NetworkOptions, text: string): Promise<void> {
  const destination = parseDestination(text);
  if (!destination)
    throw new CoiError('usage', `${quoted(text)} is not a host name or IPv4 address`, {
      hint: 'Use for example: coi network why example.org:443',
    });
  const request = networkRequest(app, options);
  const [report] = await liveReports(app, request);
  const reach = reachOf(
    report ?? {
      policy: await configuredPolicy(app, request),
      permits: [],
      attached: [],
      bridge: undefined,
    },
  );
  const isAddress = parseAddress(destination.host) !== undefined;
  const addresses = isAddress
    ? [destination.host]
    : reach.policy.mode === 'open'
      ? []
      : await resolveHost(destination.host);
  const judgements = judge(destination, addresses, reach);
  if (judgements.length === 0 && reach.policy.mode !== 'open')
    throw new CoiError('failed', `no address found for ${quoted(destination.host)}`, {
      hint: 'Check the spelling, and whether this host is online: it used its own resolver.',
    });
  if (options.json)
    app.io.printJson({ container: report?.container ?? null, decisions: judgements });
  else if (judgements.length === 0)
    app.io.print(`${text}: allowed by open (in open mode nothing is refused)`);
  else app.io.print(judgements.flatMap(judgementLines).join('\n'));
  // For scripts: exit status 1 means refused.
  if (judgements.length > 0 && judgements.every(({ verdict }) => verdict === 'refused'))
    throw new ExitStatus(1);
}
