// What is asked before setup's work is taken away.
import { CoiError } from '../../../errors.ts';
import type { RemovalPlan, Wish } from '../../../setup/remove/plan.ts';
import type { App } from '../../app.ts';

export async function agree(
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

export interface RemoveFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly sessions?: boolean;
  readonly data?: boolean;
  readonly packages?: boolean;
  readonly force?: boolean;
}
