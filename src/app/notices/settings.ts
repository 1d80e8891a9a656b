// The [notify] settings of the user: those of a project or a profile have no say.
import type { NoticeRules } from '../../attention/notices/notice-queue.ts';
import type { Settings } from '../../config/keys/table.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';

export interface NoticeSettings {
  readonly rules: NoticeRules;
  readonly isQuiet: boolean;
  readonly body: Settings['notify.body'];
  readonly terminal: Settings['notify.terminal'];
  readonly desktop: boolean;
  readonly command: readonly string[];
  readonly webhook: string | undefined;
  readonly ntfy: Settings['notify.ntfy'];
}

/** Throws `config-invalid`. */
export async function loadNoticeSettings(app: AppContext): Promise<NoticeSettings> {
  const { settings } = await loadRequestConfig(app, {}, workspacePath(app.user.home, '.'));
  return {
    rules: {
      on: settings['notify.on'],
      delayMs: settings['notify.delay_sec'] * 1000,
      perMinute: settings['notify.per_minute'],
    },
    isQuiet: settings['notify.quiet_if_attached'],
    body: settings['notify.body'],
    terminal: settings['notify.terminal'],
    desktop: settings['notify.desktop'],
    command: settings['notify.command'],
    webhook: settings['notify.webhook'],
    ntfy: settings['notify.ntfy'],
  };
}
