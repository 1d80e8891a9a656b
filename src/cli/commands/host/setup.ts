// `coi setup`: prints what this host lacks, asks once, and fixes it.
import type { Command } from 'commander';
import { checkContext } from '../../../app/health/check-context.ts';
import { withSetupLock } from '../../../app/setup/setup-lock.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { type CheckContext, groups } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import { type CheckResult, runChecks, verdict } from '../../../setup/report.ts';
import { fixableResults } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import { healthJson, summaryText } from '../../ui/views/health.ts';
import { notReadyText } from '../../ui/views/setup.ts';
import { removeSetup } from './setup-remove.ts';
import type { RemoveFlags } from './setup-remove-confirm.ts';
import { confirmSetup, fixAll } from './setup-steps.ts';

interface Options {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly build?: boolean;
  readonly remove?: boolean;
}

/** Building the image installs a complete system. */
const buildLimitMs = 60 * 60_000;

export function register(command: Command, app: App): void {
  command
    .option('-y, --yes', 'skip the confirmation prompt')
    .option('--json', 'print the outcome as JSON (the shape of `coi health --json`)')
    .option('--build', 'also build the image of sessions, if there is none')
    .option('--remove', 'remove what setup made on this host')
    .option(
      '--sessions',
      'with --remove: also delete the containers of all sessions, running or not',
    )
    .option(
      '--data',
      'with --remove: also delete your ~/.coi (configuration, conversations, logins)',
    )
    .option('--packages', 'with --remove: also remove the packages that setup installed')
    .option('-f, --force', 'with --remove: leave what cannot be removed, and continue')
    .addHelpText(
      'after',
      '\nCan be run again at any time: it only adds what is missing. An existing Incus keeps its pools, profiles and networks.',
    )
    .action((options: Options & RemoveFlags) => run(options, app));
}

async function run(options: Options & RemoveFlags, app: App): Promise<void> {
  if (options.remove) return removeSetup(app, options, (work) => withSetupLock(app, work));
  for (const name of ['sessions', 'data', 'packages', 'force'] as const)
    if (options[name])
      throw new CoiError('usage', `--${name} needs --remove`, {
        hint: `Run \`coi setup --remove --${name}\`.`,
      });
  const context = checkContext(app);
  const before = await runChecks(checks, context);
  const todo = fixableResults(before);
  if (todo.length > 0) await confirmSetup(todo, options, app);
  const after = todo.length > 0 ? await withSetupLock(app, () => fixAll(context, app)) : before;
  if (options.build) await buildImage(after, context, app);
  finish(after, todo.length, options, app);
}

async function buildImage(
  results: readonly CheckResult[],
  { host, installer, signal }: CheckContext,
  app: App,
): Promise<void> {
  const image = results.find(({ check }) => check.id === 'image');
  if (image?.finding.status === 'ok' || !installer) return;
  app.io.info('Building the image of sessions...');
  const built = await host.run([installer.installPaths.linkPath, 'build'], {
    show: true,
    timeoutMs: buildLimitMs,
    signal,
  });
  if (built.status !== 0)
    throw new CoiError('image-build-failed', 'building the image failed; see the output above');
}

function finish(results: readonly CheckResult[], done: number, options: Options, app: App): void {
  const state = verdict(results);
  if (options.json)
    app.io.printJson(healthJson({ verdict: state, at: app.clock.now(), groups, results }));
  for (const line of notReadyText(results)) app.io.info(line);
  if (state === 'unhealthy') throw new ExitStatus(1);
  if (options.json) return;
  app.io.print(
    done === 0
      ? `Nothing to do: this host is ready (${summaryText(results)}).`
      : 'This host is ready: start a session with `coi` in a project.',
  );
}
