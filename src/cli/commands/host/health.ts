// `coi health`: the checks of setup and more. It changes nothing without --fix.
import type { Command } from 'commander';
import { Option } from 'commander';
import { checkContext } from '../../../app/health/check-context.ts';
import { userFacts } from '../../../app/health/user-facts.ts';
import { withSetupLock } from '../../../app/setup/setup-lock.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { groups } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import { healthChecks, sessionChecks, verboseChecks } from '../../../setup/health-checks.ts';
import { runChecks, verdict, verdictExit } from '../../../setup/report.ts';
import { fixableResults } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { healthJson, healthText } from '../../ui/views/health.ts';
import { planText } from '../../ui/views/setup.ts';
import { confirmSetup, fixAll } from './setup-steps.ts';

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
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
    .option('-v, --verbose', 'also show measurements, and run more checks in a temporary container')
    .option('--fix', 'first fix what `coi setup` can fix (as root), without confirmation')
    .option('--dry-run', 'with --fix: only show what would be fixed')
    .addHelpText(
      'after',
      '\nExit status: 0 healthy, 1 degraded (warnings), 2 unhealthy. `coi setup` fixes what it can.',
    )
    .action(() => run(mergedOptions<Options>(command), app));
}

async function run(options: Options, app: App): Promise<void> {
  const context = checkContext(app);
  if (options.dryRun && !options.fix)
    throw new CoiError('usage', '--dry-run needs --fix', { hint: 'Add --fix.' });
  if (options.fix) {
    const todo = fixableResults(await runChecks(checks, context));
    if (options.dryRun) {
      for (const line of todo.length > 0 ? planText(todo) : ['Nothing to fix.']) app.io.info(line);
      app.io.info('[Dry run] No changes made.');
    } else if (todo.length > 0) {
      await confirmSetup(todo, { yes: true }, app);
      await withSetupLock(app, () => fixAll(context, app));
    }
  }
  const user = await userFacts(app, options, options.verbose ?? false);
  const on = { ...context, user, nowMs: app.clock.now().getTime() };
  const first = await runChecks([...healthChecks, ...(options.verbose ? verboseChecks : [])], on);
  const results = [...first, ...(await runChecks(sessionChecks, on))];
  const report = { verdict: verdict(results), at: app.clock.now(), groups, results };
  if (options.json || options.format === 'json') app.io.printJson(healthJson(report));
  else
    for (const line of healthText(report, app.io.stdoutStyle, options.verbose ?? false))
      app.io.print(line);
  const status = verdictExit[report.verdict];
  if (status !== 0) throw new ExitStatus(status);
}
