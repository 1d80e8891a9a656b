// coi shutdown: lets sessions end by themselves, and ends them by force when they take too long.
import type { Command } from 'commander';
import { answeringWorkspace } from '../../../app/answering-workspace.ts';
import { config } from '../../../app/configuration.ts';
import { freeing } from '../../../app/end-sessions/free-stuck.ts';
import { deleted } from '../../../app/end-sessions/note-end.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { shutDownContainer } from '../../../session/lifecycle/end-container.ts';
import { refOf } from '../../../session/record/container-ref.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { tellHandoff } from '../../output/handoff-summary.ts';
import { configurationRequest } from '../../requests.ts';
import { endAll } from './end-outcome.ts';
import { containersToEnd } from './end-sessions.ts';
import type { EndOptions } from './end-words.ts';

const words = {
  verb: 'shutdown',
  title: 'Shutdown',
  done: 'Shutdown',
  past: 'shut down',
  doing: 'Shutting down',
  ends: true,
  brief: (name: string) => `Shut down ${name}`,
} as const;
const timeoutMaxSeconds = 86_400;

type Options = GlobalOptions & EndOptions & { timeout?: string };

export function register(command: Command, app: App): void {
  command
    .argument('[name...]', 'containers, by name or alias')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was ended as JSON')
    .option('--timeout <seconds>', 'until force is used ([container] shutdown_timeout: 60)')
    .addHelpText('after', '\nThe conversation is kept: `coi shell --resume` goes on with it.')
    .action((names: string[]) => shutdown(app, flagsOf<Options>(command), names));
}

async function shutdown(app: App, options: Options, names: readonly string[]): Promise<void> {
  const seconds = options.timeout === undefined ? undefined : parseTimeout(options.timeout);
  const chosen = await containersToEnd(app, options, names, words);
  if (!chosen) return;
  const timeoutSeconds = seconds ?? (await configuredTimeout(app, options));
  const incus = await app.incus();
  const story = options.json ? app.io.tell : app.io.print;
  const detail = options.json || !app.io.briefAnswer ? story : () => {};
  await endAll(app, options, chosen, words, async (container) => {
    const { name, session } = container;
    detail(`Shutting down container ${name} (timeout: ${timeoutSeconds}s)...`);
    await shutDownContainer(incus, refOf(container.instance), {
      timeoutMs: timeoutSeconds * 1000,
      signal: app.signal,
      free: freeing(app),
      forced: (reason) =>
        story(
          reason === 'timeout'
            ? `Timeout reached, force-killing... (${name})`
            : `${name} is paused, force-killing...`,
        ),
    });
    deleted(app, container, story);
    if (session) await tellHandoff(app, { workspace: session.workspace, container: name });
  });
}

async function configuredTimeout(app: App, options: GlobalOptions): Promise<number> {
  const { settings } = await config(
    app,
    configurationRequest(app, options),
    answeringWorkspace(app, options.workspace),
  );
  return settings['container.shutdown_timeout'];
}

function parseTimeout(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= timeoutMaxSeconds) return Number(text);
  throw new CoiError('usage', `invalid --timeout ${quoted(text)}`, {
    hint: `Give whole seconds, at most ${timeoutMaxSeconds}.`,
  });
}
