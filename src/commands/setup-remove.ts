// `coi setup --remove`: says what setup made on this host, asks, and takes it away.

import { basename, dirname } from 'node:path';
import type { App } from '../app.ts';
import { startDetached, stopDaemon } from '../daemon/start.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { removeTree } from '../host/remove.ts';
import { asRoot } from '../host/self.ts';
import { refOf } from '../session/container-ref.ts';
import { killContainer } from '../session/remove.ts';
import type { Elsewhere } from '../setup/remove/elsewhere.ts';
import { type RemoveGround, removalFacts } from '../setup/remove/facts.ts';
import { type RemovalPlan, removalPlan, type Wish } from '../setup/remove/plan.ts';
import { removeAll } from '../setup/remove/remove.ts';
import { unfinishedText } from '../setup/remove/unfinished.ts';
import { someOf } from '../setup/remove/words.ts';
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
  readonly force?: boolean;
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

/** coi reaches nothing in other projects: whose those things are says what becomes of them. */
function refuseElsewhere({ sessions, users }: Elsewhere, force: boolean): void {
  const [session] = sessions;
  if (session) {
    const names = sessions.map(({ name, project }) => `${name} (project ${project})`);
    throw new CoiError('session-live', `sessions in other projects of Incus: ${someOf(names)}`, {
      hint: `Move them back or delete them, for example: incus delete --force --project ${session.project} ${session.name}`,
    });
  }
  if (users.length === 0 || force) return;
  const who = users.map((one) => `${one.who} uses ${one.uses.join(' and ')}`);
  throw new CoiError(
    'setup-failed',
    `other projects of Incus use what setup made: ${someOf(who)}`,
    {
      hint: 'Move them off it or delete them (`incus --project NAME`), then run this again; or take away all but what they use: coi setup --remove --force',
    },
  );
}

async function agree(
  { io }: App,
  { yes }: RemoveFlags,
  { steps }: RemovalPlan,
  wish: Wish & { readonly gives: boolean },
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
    ...(wish.gives ? ['Give up the work of coid that cannot be finished, too?'] : []),
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

/** What is given up is added to `given`. */
function removeGround(app: App, given: string[]): RemoveGround {
  const stopCoid = () => stopDaemon(app.env, app.signal);
  return {
    ...groundOf(app),
    prefix: app.prefix,
    stopCoid,
    restartCoid: async () => {
      await stopCoid();
      await startDetached(app.env);
    },
    givenUp: (lines) => {
      for (const line of lines) app.io.warn(`left unfinished: ${line}`);
      given.push(...lines.map((line) => `unfinished work in ${line}`));
    },
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
