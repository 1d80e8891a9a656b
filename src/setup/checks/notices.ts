// Whether the user is told what sessions do, for `coi health`.
import type { Settings } from '../../config/keys/table.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthContext, UserFacts } from '../health-context.ts';

export const notices: Check<HealthContext> = {
  id: 'notices',
  title: 'Notices',
  group: 'CONFIGURATION',
  run: async ({ user, nowMs }) => noticesFinding(user, nowMs),
};

/** What fails if the event log cannot be written. */
const watcher = 'watcher';
/** Older failures are no longer of interest. */
const recentMs = 7 * 86_400_000;

export function noticesFinding(
  { config, lastFailure, hasDesktop }: Pick<UserFacts, 'config' | 'lastFailure' | 'hasDesktop'>,
  nowMs: number,
): Finding {
  if (config.kind === 'broken') return ok('not checked: the configuration cannot be read');
  const to = targetsOf(config.settings, hasDesktop);
  // What is no longer configured is no longer of interest either.
  const failure =
    lastFailure && [...to, watcher].includes(lastFailure.what) ? lastFailure : undefined;
  if (config.settings['notify.on'].length === 0) return ok('turned off ([notify] on)', { to });
  if (failure && nowMs - Date.parse(failure.at) < recentMs)
    return finding(
      'warning',
      `${failure.what} failed at ${failure.at}: ${failure.reason}`,
      { to, failure },
      {
        hint:
          failure.what === watcher
            ? 'Check the free space and the permissions of ~/.coi/events.'
            : 'Check [notify] in ~/.coi/config.toml.',
      },
    );
  if (to.length === 0) return ok('only in terminals that are attached to another session', { to });
  return ok(to.join(', '), { to });
}

function targetsOf(settings: Settings, hasDesktop: boolean): string[] {
  if (settings['notify.on'].length === 0) return [];
  return [
    ...(settings['notify.desktop'] && hasDesktop ? ['desktop'] : []),
    ...(settings['notify.command'].length > 0 ? ['command'] : []),
    ...(settings['notify.webhook'] === undefined ? [] : ['webhook']),
    ...(settings['notify.ntfy'] === undefined ? [] : ['ntfy']),
  ];
}
