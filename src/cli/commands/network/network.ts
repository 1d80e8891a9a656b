// coi network: what a session may reach, what it was refused and why, and opening something for a while.
import type { Command } from 'commander';
import { configuredPolicy, liveReports } from '../../../app/network/sessions.ts';
import type { App } from '../../app.ts';
import { policyLines, showLines } from '../../ui/views/network.ts';
import { permit, usualPermit } from './network-allow.ts';
import { printLog } from './network-log.ts';
import { type NetworkOptions, networkRequest } from './network-options.ts';
import { printWhy } from './network-why.ts';

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
    printShow(app, show.optsWithGlobals<NetworkOptions>()),
  );
  const log = sub('log', 'show what was refused in the last quarter of an hour, with the rule')
    .option('-f, --follow', 'go on with what comes')
    .action(() => printLog(app, log.optsWithGlobals<NetworkOptions>()));
  const why = sub('why', 'say which rule decides about a host, and what permits it')
    .argument('<host[:port]>', 'a name or an IPv4 address')
    .addHelpText(
      'after',
      '\nExit status: 0 if it is allowed, 1 if it is refused, its name has no address, or no such session runs.',
    )
    .action((host: string) => printWhy(app, why.optsWithGlobals<NetworkOptions>(), host));
  const allow = sub(
    'allow',
    'open a host, *.host, address or network, with optional :ports, for a while',
  )
    .argument('<host[:ports]>', 'as in [network] allowed_domains')
    .option('--for <duration>', 'how long, at most a week', usualPermit)
    .action((entry: string) => permit(app, allow.optsWithGlobals<NetworkOptions>(), entry));
}

async function printShow(app: App, options: NetworkOptions): Promise<void> {
  const request = networkRequest(app, options);
  const reports = await liveReports(app, request);
  if (reports.length === 0) {
    const policy = await configuredPolicy(app, request);
    if (options.json) return app.io.printJson({ sessions: [], configured: policy });
    return app.io.print(
      ['No session runs in this workspace; the next one gets:', ...policyLines(policy)].join('\n'),
    );
  }
  if (options.json) return app.io.printJson({ sessions: reports });
  app.io.print(reports.map((report) => showLines(report).join('\n')).join('\n\n'));
}
