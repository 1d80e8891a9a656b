// The confirmation before `coi setup --remove`.
import { CoiError } from '../../../errors.ts';
import type { RemovalPlan, RemoveRequest } from '../../../setup/remove/plan.ts';
import type { App } from '../../app.ts';

export async function confirmRemoval(
  { io }: App,
  { yes }: RemoveFlags,
  { steps }: RemovalPlan,
  request: RemoveRequest & { readonly abandons: boolean },
): Promise<void> {
  if (yes) return;
  if (!io.interactive)
    throw new CoiError(
      'no-terminal',
      'setup --remove needs confirmation, and there is no terminal',
      { hint: 'Confirm in advance: coi setup --remove --yes' },
    );
  const has = (kind: string) => steps.some(({ action }) => action.kind === kind);
  const questions = [
    'Continue?',
    ...(request.abandons ? ['Also abandon the work of coid that cannot be finished?'] : []),
    ...(request.sessions && has('containers')
      ? ['Also delete these session containers with everything in them?']
      : []),
    ...(request.data && has('data')
      ? ['Also delete your configuration, saved conversations and logins?']
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
