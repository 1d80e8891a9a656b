// `coi setup --remove`: says what setup made on this host, asks, and takes it away.

import { basename, dirname } from 'node:path';
import type { App } from '../app.ts';
import { stopDaemon } from '../daemon/start.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { removeTree } from '../host/remove.ts';
import { asRoot } from '../host/self.ts';
import { refOf } from '../session/container-ref.ts';
import { killContainer } from '../session/remove.ts';
import { type RemoveGround, removalFacts } from '../setup/remove/facts.ts';
import { type RemovalPlan, removalPlan, type Wish } from '../setup/remove/plan.ts';
import { removeAll } from '../setup/remove/remove.ts';
import { setupProgress } from '../ui/setup.ts';
import { removalJson, removalText, stayText } from '../ui/views/setup.ts';
import { freeing } from './freeing.ts';
import { groundOf } from './ground.ts';

export interface RemoveFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly sessions?: boolean;
  readonly data?: boolean;
  readonly packages?: boolean;
}

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
  const ground = removeGround(app);
  const { sessions = false, data = false, packages = false } = options;
  const wish = { sessions, data, packages };
  const facts = await removalFacts(ground, packages);
  const plan = removalPlan(facts, wish);
  const answer = () => {
    if (options.json) io.printJson(removalJson(plan));
  };
  if (plan.running.length > 0)
    throw new CoiError('session-live', `sessions run: ${plan.running.join(', ')}`, {
      hint: 'End them (coi shutdown --all --all-users), or delete all sessions with --sessions.',
    });
  for (const line of [...removalText(plan), ...stayText(plan)]) io.tell(line);
  if (plan.steps.length === 0) {
    if (!options.json) io.print('Nothing to remove: nothing that setup made is here.');
    return answer();
  }
  await agree(app, options, plan, wish);
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

async function agree(
  { io }: App,
  { yes }: RemoveFlags,
  { steps }: RemovalPlan,
  wish: Wish,
): Promise<void> {
  if (yes) return;
  if (!io.interactive)
    throw new CoiError(
      'no-terminal',
      'setup --remove asks before it changes this host, and there is no terminal to ask on',
      { hint: 'Agree beforehand: coi setup --remove --yes' },
    );
  const has = (kind: string) => steps.some(({ act }) => act.kind === kind);
  const questions = [
    'Go on?',
    ...(wish.sessions && has('containers')
      ? ['Delete these containers of sessions with all that is in them, too?']
      : []),
    ...(wish.data && has('data')
      ? ['Delete your configuration, your saved conversations and logins, too?']
      : []),
  ];
  for (const question of questions)
    if (!(await io.confirm(question))) throw new CoiError('cancelled', 'nothing was changed');
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

function removeGround(app: App): RemoveGround {
  return {
    ...groundOf(app),
    prefix: app.prefix,
    stopCoid: () => stopDaemon(app.env, app.signal),
    endContainer: async ({ instance }) => {
      await killContainer(await app.incus(), refOf(instance), app.signal, freeing(app));
    },
    removeData,
  };
}

/** This is root in the home of somebody else: no link that they made is followed. */
async function removeData(home: string, relative: string): Promise<void> {
  using top = hostFiles.open(home);
  const above = dirname(relative);
  using parent = above === '.' ? undefined : top?.directory(above);
  const holder = above === '.' ? top : parent;
  if (holder) await removeTree(holder, basename(relative), { shred: true });
}
