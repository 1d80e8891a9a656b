// `coi setup --remove`: says what setup made on this host, asks, and takes it away.
import { refuseElsewhere } from '../../../app/setup/refuse-elsewhere.ts';
import { removeGround } from '../../../app/setup/remove-ground.ts';
import { CoiError } from '../../../errors.ts';
import { asRoot } from '../../../host/process/self.ts';
import { type RemoveGround, removalFacts } from '../../../setup/remove/facts.ts';
import { type RemovalPlan, removalPlan } from '../../../setup/remove/plan.ts';
import { removeAll } from '../../../setup/remove/remove.ts';
import { unfinishedText } from '../../../setup/remove/unfinished.ts';
import type { App } from '../../app.ts';
import { setupProgress } from '../../ui/setup.ts';
import { removalJson, removalText, stayText } from '../../ui/views/setup.ts';
import { agree, type RemoveFlags } from './setup-remove-agree.ts';

/** `locked` runs what must not run beside a setup. */
export async function removeSetup(
  app: App,
  options: RemoveFlags,
  locked: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { io } = app;
  if (app.user.uid !== 0)
    throw new CoiError('needs-root', 'only root sees what setup made, and can take it away', {
      hint: `Run it as root: ${asRoot(process)} setup --remove`,
    });
  const given: string[] = [];
  const ground = removeGround(app, given);
  const { sessions = false, data = false, packages = false, force = false } = options;
  const wish = { sessions, data, packages, force };
  const facts = await removalFacts(ground, packages);
  const plan = removalPlan(facts, wish);
  const answer = () => {
    if (options.json) io.printJson(removalJson(plan, given));
  };
  if (plan.running.length > 0)
    throw new CoiError('session-live', `sessions run: ${plan.running.join(', ')}`, {
      hint: 'End them (coi shutdown --all --all-users), or delete all sessions with --sessions.',
    });
  refuseElsewhere(plan.elsewhere, force);
  for (const line of [...removalText(plan), ...stayText(plan)]) io.tell(line);
  if (plan.steps.length === 0) {
    if (!options.json) io.print('Nothing to remove: nothing that setup made is here.');
    return answer();
  }
  const unsure = force && plan.steps.some(({ act }) => act.kind === 'coid' && act.all);
  const left = unsure ? unfinishedText(facts.notes) : [];
  if (left.length > 0) io.tell('Work of coid that is given up if it cannot be finished:');
  for (const line of left) io.tell(`  - ${line}`);
  await agree(app, options, plan, { ...wish, gives: left.length > 0 });
  await locked(async () => {
    // The answer may have taken any time, in which sessions may have started or ended.
    const now = await removalFacts(ground, packages);
    const same = JSON.stringify(removalPlan(now, wish)) === JSON.stringify(plan);
    if (!same)
      throw new CoiError('setup-failed', 'what there is to remove has changed since it was shown', {
        hint: 'Run `coi setup --remove` again.',
      });
    await work(ground, app, plan, now.made.link);
  });
  if (!options.json) io.print('Removed what setup made on this host.');
  answer();
}

async function work(
  ground: RemoveGround,
  app: App,
  { steps }: RemovalPlan,
  linkBefore: string | undefined,
): Promise<void> {
  const progress = setupProgress(app.io);
  try {
    await removeAll(ground, steps, {
      linkBefore,
      tell: progress.tell,
      elapsedMs: app.clock.elapsedMs,
    });
  } catch (error) {
    ground.signal.throwIfAborted();
    const { message, hint } = error as CoiError;
    throw new CoiError('setup-failed', message, {
      hint: hint ?? 'Run `coi setup --remove` again: it goes on where it stopped.',
      cause: error,
    });
  } finally {
    progress.clear();
  }
}
