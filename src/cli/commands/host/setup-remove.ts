// `coi setup --remove`: prints what setup made on this host, asks, and removes it.
import { refuseElsewhere } from '../../../app/setup/refuse-elsewhere.ts';
import { removeContext } from '../../../app/setup/remove-context.ts';
import { CoiError } from '../../../errors.ts';
import { sudoCommand } from '../../../host/process/self.ts';
import { type RemoveContext, readRemovalFacts } from '../../../setup/remove/facts.ts';
import { pendingWorkLines } from '../../../setup/remove/pending-work.ts';
import { planRemoval, type RemovalPlan } from '../../../setup/remove/plan.ts';
import { removeAll } from '../../../setup/remove/remove.ts';
import type { App } from '../../app.ts';
import { setupProgress } from '../../ui/setup-progress.ts';
import { keptText, removalJson, removalText } from '../../ui/views/setup.ts';
import { confirmRemoval, type RemoveFlags } from './setup-remove-confirm.ts';

/** `locked` runs a function while no other setup runs. */
export async function removeSetup(
  app: App,
  options: RemoveFlags,
  locked: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { io } = app;
  if (app.user.uid !== 0)
    throw new CoiError('needs-root', 'only root can undo what setup did', {
      hint: `Run it as root: ${sudoCommand(process)} setup --remove`,
    });
  const abandoned: string[] = [];
  const context = removeContext(app, abandoned);
  const { sessions = false, data = false, packages = false, force = false } = options;
  const request = { sessions, data, packages, force };
  const facts = await readRemovalFacts(context, packages);
  const plan = planRemoval(facts, request);
  const printResult = () => {
    if (options.json) io.printJson(removalJson(plan, abandoned));
  };
  if (plan.running.length > 0)
    throw new CoiError('session-live', `sessions are running: ${plan.running.join(', ')}`, {
      hint: 'End them (coi shutdown --all --all-users), or delete all sessions with --sessions.',
    });
  refuseElsewhere(plan.otherProjects, force);
  for (const line of [...removalText(plan), ...keptText(plan)]) io.info(line);
  if (plan.steps.length === 0) {
    if (!options.json) io.print('Nothing to remove: setup left nothing on this host.');
    return printResult();
  }
  const unsure = force && plan.steps.some(({ action }) => action.kind === 'coid' && action.all);
  const left = unsure ? pendingWorkLines(facts.notes) : [];
  if (left.length > 0) io.info('Work of coid that is abandoned if it cannot be finished:');
  for (const line of left) io.info(`  - ${line}`);
  await confirmRemoval(app, options, plan, { ...request, abandons: left.length > 0 });
  await locked(async () => {
    // Sessions may have started or ended while the question was open.
    const now = await readRemovalFacts(context, packages);
    const same = JSON.stringify(planRemoval(now, request)) === JSON.stringify(plan);
    if (!same)
      throw new CoiError(
        'setup-failed',
        'the things to remove have changed since they were listed',
        {
          hint: 'Run `coi setup --remove` again.',
        },
      );
    await work(context, app, plan, now.record.link);
  });
  if (!options.json) io.print('Removed what setup made on this host.');
  printResult();
}

async function work(
  context: RemoveContext,
  app: App,
  { steps }: RemovalPlan,
  linkBefore: string | undefined,
): Promise<void> {
  const progress = setupProgress(app.io);
  try {
    await removeAll(context, steps, {
      linkBefore,
      onEvent: progress.update,
      elapsedMs: app.clock.elapsedMs,
    });
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, hint } = error as CoiError;
    throw new CoiError('setup-failed', message, {
      hint: hint ?? 'Run `coi setup --remove` again: it continues where it stopped.',
      cause: error,
    });
  } finally {
    progress.clear();
  }
}
