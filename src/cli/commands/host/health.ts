// `coi health`: the checks of setup and more, without mending anything unless asked to.
import type { Command } from 'commander';
import { Option } from 'commander';
import { groundOf } from '../../../app/health/check-context.ts';
import { ownFacts } from '../../../app/health/user-facts.ts';
import { locked } from '../../../app/setup/setup-lock.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { groups } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import { healthChecks, sessionChecks, verboseChecks } from '../../../setup/health-checks.ts';
import { probeAll, verdict, verdictExit } from '../../../setup/report.ts';
import { planned } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { healthJson, healthText } from '../../ui/views/health.ts';
import { planText } from '../../ui/views/setup.ts';
import { agree, mendAll } from './setup-steps.ts';

interface Options extends GlobalOptions {
  readonly format: 'text' | 'json';
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .option(
      '-v, --verbose',
      'show what was measured, too, and look at more, in a container that is started for it',
    )
    .option('--fix', 'mend what `coi setup` can mend first (as root), without asking')
    .option('--dry-run', 'with --fix: only say what would be mended')
    .addHelpText(
      'after',
      '\nExit status: 0 healthy, 1 degraded (warnings), 2 unhealthy. `coi setup` mends what it can.',
    )
    .action(() => run(flagsOf<Options>(command), app));
}

async function run(options: Options, app: App): Promise<void> {
  const ground = groundOf(app);
  if (options.dryRun && !options.fix)
    throw new CoiError('usage', '--dry-run needs --fix', { hint: 'Add --fix.' });
  if (options.fix) {
    const todo = planned(await probeAll(checks, ground));
    if (options.dryRun) {
      for (const line of todo.length > 0 ? planText(todo) : ['Nothing to mend.']) app.io.tell(line);
      app.io.tell('[Dry run] No changes made.');
    } else if (todo.length > 0) {
      await agree(todo, { yes: true }, app);
      await locked(app, () => mendAll(ground, app));
    }
  }
  const own = await ownFacts(app, options, options.verbose ?? false);
  const on = { ...ground, own, nowMs: app.clock.now().getTime() };
  const first = await probeAll([...healthChecks, ...(options.verbose ? verboseChecks : [])], on);
  const probed = [...first, ...(await probeAll(sessionChecks, on))];
  const report = { verdict: verdict(probed), at: app.clock.now(), groups, probed };
  if (options.json || options.format === 'json') app.io.printJson(healthJson(report));
  else
    for (const line of healthText(report, app.io.style, options.verbose ?? false))
      app.io.print(line);
  const status = verdictExit[report.verdict];
  if (status !== 0) throw new ExitStatus(status);
}
