// What setup and `health --fix` share: the question before, and the mending.
import { CoiError } from '../../../errors.ts';
import { asRoot } from '../../../host/process/self.ts';
import type { Ground } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import type { Probed } from '../../../setup/report.ts';
import type { SetupEvent } from '../../../setup/setup.ts';
import { mend } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import { setupProgress } from '../../ui/setup.ts';
import { planText } from '../../ui/views/setup.ts';

/** Throws unless setup may go on: it needs root, and a yes. */
export async function agree(
  todo: readonly Probed[],
  options: { readonly yes?: boolean },
  app: App,
): Promise<void> {
  if (app.user.uid !== 0) {
    for (const line of planText(todo)) app.io.tell(line);
    throw new CoiError('needs-root', 'making this host ready needs root', {
      hint: `Run it as root: ${asRoot(process)} setup`,
    });
  }
  for (const line of planText(todo)) app.io.tell(line);
  if (options.yes) return;
  if (!app.io.interactive) {
    throw new CoiError(
      'no-terminal',
      'setup asks before it changes this host, and there is no terminal to ask on',
      { hint: 'Agree beforehand: coi setup --yes' },
    );
  }
  if (!(await app.io.confirm('Go on?'))) throw new CoiError('cancelled', 'nothing was changed');
}

/** Mends what can be mended, and returns how all is then. */
export async function mendAll(ground: Ground, app: App): Promise<Probed[]> {
  const progress = setupProgress(app.io);
  try {
    return await mend(ground, {
      checks,
      tell: (event: SetupEvent) => progress.tell(event),
      elapsedMs: app.clock.elapsedMs,
    });
  } catch (error) {
    if (error instanceof CoiError) throw error;
    const { message } = error as Error;
    throw new CoiError('setup-failed', message, {
      hint: 'Run `coi setup` again: it goes on where it stopped.',
      cause: error,
    });
  } finally {
    progress.clear();
  }
}
