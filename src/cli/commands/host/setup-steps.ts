// Shared by `coi setup` and `coi health --fix`: the confirmation, and the fixes.
import { CoiError } from '../../../errors.ts';
import { sudoCommand } from '../../../host/process/self.ts';
import type { CheckContext } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import type { CheckResult } from '../../../setup/report.ts';
import type { SetupEvent } from '../../../setup/setup.ts';
import { runSetup } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import { setupProgress } from '../../ui/setup-progress.ts';
import { planText } from '../../ui/views/setup.ts';

/** Prints the plan. Throws without root or confirmation. */
export async function confirmSetup(
  todo: readonly CheckResult[],
  options: { readonly yes?: boolean },
  app: App,
): Promise<void> {
  if (app.user.uid !== 0) {
    for (const line of planText(todo)) app.io.info(line);
    throw new CoiError('needs-root', 'preparing this host needs root', {
      hint: `Run it as root: ${sudoCommand(process)} setup`,
    });
  }
  for (const line of planText(todo)) app.io.info(line);
  if (options.yes) return;
  if (!app.io.interactive) {
    throw new CoiError('no-terminal', 'setup needs confirmation, and there is no terminal', {
      hint: 'Confirm in advance: coi setup --yes',
    });
  }
  if (!(await app.io.confirm('Continue?'))) throw new CoiError('cancelled', 'nothing was changed');
}

/** Fixes what can be fixed, and returns the results of all checks afterwards. */
export async function fixAll(context: CheckContext, app: App): Promise<CheckResult[]> {
  const progress = setupProgress(app.io);
  try {
    return await runSetup(context, {
      checks,
      onEvent: (event: SetupEvent) => progress.update(event),
      elapsedMs: app.clock.elapsedMs,
    });
  } catch (error) {
    if (error instanceof CoiError) throw error;
    const { message } = error as Error;
    throw new CoiError('setup-failed', message, {
      hint: 'Run `coi setup` again: it continues where it stopped.',
      cause: error,
    });
  } finally {
    progress.clear();
  }
}
