// `coi network`: the rules of a session, its refused connections, and temporary permits.
import type { Command } from 'commander';
import { configuredPolicy, liveReports } from '../../../app/network/sessions.ts';
import type { App } from '../../app.ts';
import { policyLines, showLines } from '../../ui/views/network.ts';
import { allowTemporarily, defaultDuration } from './network-allow.ts';
import { printLog } from './network-log.ts';
import { type NetworkOptions, networkRequest } from './network-options.ts';
import { printWhy } from './network-why.ts';

export function register(command: Command, app: App): void {
  command.description('Show network rules and refused connections, and allow hosts temporarily');
  const sub = (name: string, summary: string) =>
    command
      .command(name)
      .description(summary)
      .option('-c, --container <name>', "name or alias (default: the workspace's sessions)")
      .option('--json', 'print JSON');
  const show = sub('show', 'show the mode and its rules').action(() =>
    printShow(app, show.optsWithGlobals<NetworkOptions>()),
  );
  const log = sub('log', 'list what was refused in the last 15 minutes, and by which rule')
    .option('-f, --follow', 'keep printing new lines')
    .action(() => printLog(app, log.optsWithGlobals<NetworkOptions>()));
  const why = sub('why', 'show which rule applies to a host, and how to allow it')
    .argument('<host[:port]>', 'host name or IPv4 address')
    .addHelpText(
      'after',
      '\nExit status: 0 if it is allowed; 1 if it is refused, its name has no address, or there is no such session.',
    )
    .action((host: string) => printWhy(app, why.optsWithGlobals<NetworkOptions>(), host));
  const allow = sub(
    'allow',
    'allow a host, *.host, address or network temporarily, with optional :ports',
  )
    .argument('<host[:ports]>', 'entry in the syntax of [network] allowed_domains')
    .option('--for <duration>', 'duration, at most a week', defaultDuration)
    .action((entry: string) =>
      allowTemporarily(app, allow.optsWithGlobals<NetworkOptions>(), entry),
    );
}

async function printShow(app: App, options: NetworkOptions): Promise<void> {
  const request = networkRequest(app, options);
  const reports = await liveReports(app, request);
  if (reports.length === 0) {
    const policy = await configuredPolicy(app, request);
    if (options.json) return app.io.printJson({ sessions: [], configured: policy });
    return app.io.print(
      ['No session is running in this workspace; the next one gets:', ...policyLines(policy)].join(
        '\n',
      ),
    );
  }
  if (options.json) return app.io.printJson({ sessions: reports });
  app.io.print(reports.map((report) => showLines(report).join('\n')).join('\n\n'));
}
