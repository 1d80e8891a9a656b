// `coi health`: the checks of setup, without mending anything.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { ExitStatus } from '../errors.ts';
import { groups } from '../setup/check.ts';
import { checks } from '../setup/checks.ts';
import { probeAll, verdict, verdictExit } from '../setup/report.ts';
import { healthJson, healthText } from '../ui/views/health.ts';
import { groundOf } from './ground.ts';

interface Options {
  readonly format: 'text' | 'json';
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .option('-v, --verbose', 'show what was measured, too')
    .addHelpText(
      'after',
      '\nExit status: 0 healthy, 1 degraded (warnings), 2 unhealthy. `coi setup` mends what it can.',
    )
    .action((options: Options) => run(options, app));
}

async function run(options: Options, app: App): Promise<void> {
  const probed = await probeAll(checks, groundOf(app));
  const report = { verdict: verdict(probed), at: app.clock.now(), groups, probed };
  if (options.json || options.format === 'json') app.io.printJson(healthJson(report));
  else
    for (const line of healthText(report, app.io.style, options.verbose ?? false))
      app.io.print(line);
  const status = verdictExit[report.verdict];
  if (status !== 0) throw new ExitStatus(status);
}
