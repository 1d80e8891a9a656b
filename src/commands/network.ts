// coi network: what a session may reach, what it was refused and why, and opening something for a while.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { parseDurationMs } from '../config/values.ts';
import type { NetworkReport } from '../daemon/protocol.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { quoted } from '../names.ts';
import { parseAddress } from '../network/address.ts';
import { parseDestination } from '../network/decide.ts';
import { entryText, parseEntry } from '../network/entry.ts';
import { judge, type Refusal, reachOf, refusals } from '../network/explain.ts';
import { findContainer } from '../session/lookup.ts';
import type { Container } from '../session/record.ts';
import { judgementLines, policyLines, refusalLine, showLines } from '../ui/views/network.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { here, isOf } from './here.ts';
import { sessionPolicy } from './network-policy.ts';
import { config, place } from './prepare.ts';

interface Options extends GlobalOptions {
  container?: string;
  json?: boolean;
  follow?: boolean;
  for?: string;
}

const followEveryMs = 1000;
const usualPermit = '30m';

export function register(command: Command, app: App): void {
  command.description(
    'Show what sessions may reach and what they were refused, and open something for a while',
  );
  const sub = (name: string, summary: string) =>
    command
      .command(name)
      .description(summary)
      .option('-c, --container <name>', "name or alias (default: the workspace's sessions)")
      .option('--json', 'print JSON');
  const show = sub('show', 'show the mode and its rules').action(() =>
    printShow(app, show.optsWithGlobals<Options>()),
  );
  const log = sub('log', 'show what was refused in the last quarter of an hour, with the rule')
    .option('-f, --follow', 'go on with what comes')
    .action(() => printLog(app, log.optsWithGlobals<Options>()));
  const why = sub('why', 'say which rule decides about a host, and what permits it')
    .argument('<host[:port]>', 'a name or an IPv4 address')
    .addHelpText(
      'after',
      '\nExit status: 0 if it is allowed, 1 if it is refused, its name has no address, or no such session runs.',
    )
    .action((host: string) => printWhy(app, why.optsWithGlobals<Options>(), host));
  const allow = sub(
    'allow',
    'open a host, *.host, address or network, with optional :ports, for a while',
  )
    .argument('<host[:ports]>', 'as in [network] allowed_domains')
    .option('--for <duration>', 'how long, at most a week', usualPermit)
    .action((entry: string) => permit(app, allow.optsWithGlobals<Options>(), entry));
}

async function printShow(app: App, options: Options): Promise<void> {
  const reports = await liveReports(app, options);
  if (reports.length === 0) {
    const policy = await configuredPolicy(app, options);
    if (options.json) return app.io.printJson({ sessions: [], configured: policy });
    return app.io.print(
      ['No session runs in this workspace; the next one gets:', ...policyLines(policy)].join('\n'),
    );
  }
  if (options.json) return app.io.printJson({ sessions: reports });
  app.io.print(reports.map((report) => showLines(report).join('\n')).join('\n\n'));
}

async function printLog(app: App, options: Options): Promise<void> {
  const seen = new Set<string>();
  for (let first = true; ; first = false) {
    const reports = first
      ? await sessionReports(app, options)
      : await liveReportsLeft(app, options);
    if (reports.length === 0) return app.io.tell('No session runs here any more.');
    const now = app.clock.now();
    const all = reports.flatMap((report) =>
      refusals(report, now).map((refusal) => ({ container: report.container, ...refusal })),
    );
    const fresh = all.filter((refusal) => !seen.has(idOf(refusal)));
    for (const refusal of fresh) seen.add(idOf(refusal));
    if (options.json && !options.follow) app.io.printJson(fresh);
    else
      for (const refusal of fresh)
        if (options.json) app.io.printJsonLine(refusal);
        else app.io.print(refusalLine(refusal));
    if (!options.follow) {
      if (!options.json && fresh.length === 0)
        app.io.tell('Nothing was refused in the last quarter of an hour.');
      return;
    }
    await delay(followEveryMs, undefined, { signal: app.signal });
  }
}

/** One line for each destination of each session, however often it is tried. */
function idOf({ container, kind, destination }: Refusal & { container: string }): string {
  return [container, kind, destination].join(' ');
}

async function printWhy(app: App, options: Options, text: string): Promise<void> {
  const destination = parseDestination(text);
  if (!destination)
    throw new CoiError('usage', `${quoted(text)} is no host or IPv4 address`, {
      hint: 'For example: coi network why example.org:443',
    });
  const [report] = await liveReports(app, options);
  const reach = reachOf(
    report ?? {
      policy: await configuredPolicy(app, options),
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
      : await resolved(destination.host);
  const judgements = judge(destination, addresses, reach);
  if (judgements.length === 0 && reach.policy.mode !== 'open')
    throw new CoiError('failed', `no address of ${quoted(destination.host)} is known`, {
      hint: 'This host asked its own resolver: check the spelling, and that the host is online.',
    });
  if (options.json)
    app.io.printJson({ container: report?.container ?? null, decisions: judgements });
  else if (judgements.length === 0)
    app.io.print(`${text}: allowed by open (in open mode nothing is refused)`);
  else app.io.print(judgements.flatMap(judgementLines).join('\n'));
  // For scripts: 1 says that it is refused.
  if (judgements.length > 0 && judgements.every(({ verdict }) => verdict === 'refused'))
    throw new ExitStatus(1);
}

async function permit(app: App, options: Options, entry: string): Promise<void> {
  const forMs = parseDurationMs(options.for ?? usualPermit);
  if (forMs === undefined)
    throw new CoiError('usage', `invalid --for ${quoted(options.for ?? '')}`, {
      hint: 'For example 30m, 2h or 1h30m.',
    });
  const wanted = wantedEntry(entry);
  const coid = await app.coid();
  const containers = await liveContainers(app, options);
  if (containers.length === 0) throw noneHere();
  const replies = [];
  for (const { name: container, session } of containers) {
    const request = { id: session?.mounts.id ?? '', entry: wanted, forMs };
    replies.push({
      container,
      ...(await coid.permit(container, request, { signal: app.signal })),
    });
  }
  if (options.json) return app.io.printJson(replies);
  app.io.print(
    replies
      .map(
        ({ container, entry: opened, until }) => `${opened} is open to ${container} until ${until}`,
      )
      .join('\n'),
  );
}

/** On a command line a wrong entry is the command's fault, not the configuration's. */
function wantedEntry(text: string): string {
  try {
    return entryText(parseEntry(text));
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    const { message, hint } = error;
    throw new CoiError('usage', message, { ...(hint !== undefined && { hint }), cause: error });
  }
}

/** Throws `session-not-found` where there is none. */
async function sessionReports(app: App, options: Options): Promise<NetworkReport[]> {
  const reports = await liveReports(app, options);
  if (reports.length > 0) return reports;
  throw noneHere();
}

function noneHere(): CoiError {
  return new CoiError('session-not-found', 'no session runs in this workspace', {
    hint: 'Name one with --container; `coi list` shows them.',
  });
}

/** None where the last of them has ended meanwhile. */
async function liveReportsLeft(app: App, options: Options): Promise<NetworkReport[]> {
  try {
    return await liveReports(app, options);
  } catch (error) {
    if (error instanceof CoiError && error.code === 'session-not-found') return [];
    throw error;
  }
}

async function liveReports(app: App, options: Options): Promise<NetworkReport[]> {
  const containers = await liveContainers(app, options);
  const coid = await app.coid();
  return Promise.all(containers.map(({ name }) => coid.network(name, { signal: app.signal })));
}

/** That of the session that is named, or all that run in the workspace. */
async function liveContainers(app: App, options: Options): Promise<Container[]> {
  const own = await ownContainers(app, options);
  const isHere = isOf(here(app, options));
  const chosen =
    options.container === undefined
      ? own.filter((container) => container.status !== 'Stopped' && isHere(container))
      : [findContainer(app, own, options.container)];
  if (chosen.includes(undefined))
    throw new CoiError(
      'session-not-found',
      `container ${quoted(options.container ?? '')} not found`,
      { hint: 'Run `coi list` to see your sessions.' },
    );
  return chosen.flatMap((container) => container ?? []);
}

async function configuredPolicy(app: App, options: Options) {
  const { workspace } = place(app, options.workspace);
  const { settings } = await config(app, options, workspace);
  return sessionPolicy(app, settings);
}

/** What the host's resolver says now; the session's own questions may be answered otherwise. */
async function resolved(host: string): Promise<string[]> {
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(host, { all: true, family: 4 })).map(({ address }) => address);
  } catch {
    // No such name, or no server to ask: then the name alone is judged.
    return [];
  }
}
