// `coi migrate`: shows the changes that configuration files of older versions need, and makes them.
import type { Command } from 'commander';
import {
  backupSuffix,
  migrateFile,
  pathOf,
  planMigrations,
} from '../../../app/configuration-files/migrate-plan.ts';
import { resolveWorkspace } from '../../../app/resolve-workspace.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

interface Options extends GlobalOptions {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `\nChecks ~/.coi, the .coi of the current project, and the locations of versions before 0.8. The old version of each\nchanged file is kept next to it as FILE${backupSuffix}.\n\nExit status: 0 if nothing is left to do, 1 if manual changes are left or no terminal can confirm.`,
    )
    .action(() => migrate(app, mergedOptions<Options>(command)));
}

async function migrate(app: App, options: Options): Promise<void> {
  const plans = planMigrations(app, resolveWorkspace(app, options.workspace));
  const changed = plans.filter(({ changes }) => changes.length > 0);
  const byHand = plans.filter((plan) => plan.byHand.length > 0);
  const print = options.json ? app.io.info : app.io.print;
  if (plans.length === 0) print('Nothing to do: no files of older versions found.');
  for (const { from, changes, byHand: left } of plans) {
    const lines = [...changes, ...left.map((line) => `${line} (manual)`)];
    print([`${oneLine(pathOf(from))}:`, ...lines.map((line) => `  ${oneLine(line)}`)].join('\n'));
  }
  const isDone = changed.length > 0 && !options.dryRun && (await confirmChanges(app, options));
  if (isDone)
    for (const plan of changed) {
      migrateFile(app, plan);
      print(
        oneLine(
          `Changed ${pathOf(plan.to)}; the old file is kept as ${pathOf(plan.from)}${backupSuffix}`,
        ),
      );
    }
  if (options.json)
    app.io.printJson(
      plans.map(({ from, to, changes, byHand: left }) => ({
        path: pathOf(from),
        to: pathOf(to),
        changes,
        by_hand: left,
        changed: isDone && changes.length > 0,
      })),
    );
  if (byHand.length === 0) return;
  app.io.warn('make the changes marked "manual" above yourself; until then the exit status is 1');
  throw new ExitStatus(1);
}

async function confirmChanges(app: App, { yes }: Options): Promise<boolean> {
  if (yes) return true;
  if (!app.io.interactive)
    throw new CoiError('failed', 'nothing was changed: no terminal for confirmation', {
      hint: 'Review the list above, then run `coi migrate --yes`.',
    });
  if (await app.io.confirm('Change these files?')) return true;
  app.io.info('Cancelled.');
  return false;
}
