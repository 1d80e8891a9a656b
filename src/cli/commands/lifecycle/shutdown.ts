// `coi shutdown`: shuts down sessions gracefully, and by force after a timeout.
import type { Command } from 'commander';
import { loadRequestConfig } from '../../../app/configuration.ts';
import { freeWithCoid } from '../../../app/end-sessions/free-stuck.ts';
import { noteDeleted } from '../../../app/end-sessions/note-end.ts';
import { resolveWorkspace } from '../../../app/resolve-workspace.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { shutDownContainer } from '../../../session/lifecycle/end-container.ts';
import { refOf } from '../../../session/record/container-ref.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { reportHandoffOf } from '../../output/handoff-summary.ts';
import { configurationRequest } from '../../requests.ts';
import { selectContainersToEnd } from './containers-to-end.ts';
import { endAll } from './end-all.ts';
import type { EndOptions } from './end-wording.ts';

const wording = {
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
    .argument('[name...]', 'container names or aliases')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .option(
      '--timeout <seconds>',
      'time until the stop is forced (default: [container] shutdown_timeout, 60)',
    )
    .addHelpText('after', '\nThe conversation is saved: `coi shell --resume` continues it.')
    .action((names: string[]) => shutdown(app, mergedOptions<Options>(command), names));
}

async function shutdown(app: App, options: Options, names: readonly string[]): Promise<void> {
  const seconds = options.timeout === undefined ? undefined : parseTimeout(options.timeout);
  const chosen = await selectContainersToEnd(app, options, names, wording);
  if (!chosen) return;
  const timeoutSeconds = seconds ?? (await configuredTimeout(app, options));
  const incus = await app.incus();
  const report = options.json ? app.io.info : app.io.print;
  const detail = options.json || !app.io.briefStdout ? report : () => {};
  await endAll(app, options, chosen, wording, async (container) => {
    const { name, session } = container;
    detail(`Shutting down container ${name} (timeout: ${timeoutSeconds}s)...`);
    await shutDownContainer(incus, refOf(container.instance), {
      timeoutMs: timeoutSeconds * 1000,
      signal: app.signal,
      free: freeWithCoid(app),
      forced: (reason) =>
        report(
          reason === 'timeout'
            ? `Timeout reached, force-killing... (${name})`
            : `${name} is paused, force-killing...`,
        ),
    });
    noteDeleted(app, container, report);
    if (session) await reportHandoffOf(app, { workspace: session.workspace, container: name });
  });
}

async function configuredTimeout(app: App, options: GlobalOptions): Promise<number> {
  const { settings } = await loadRequestConfig(
    app,
    configurationRequest(app, options),
    resolveWorkspace(app, options.workspace),
  );
  return settings['container.shutdown_timeout'];
}

function parseTimeout(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= timeoutMaxSeconds) return Number(text);
  throw new CoiError('usage', `invalid --timeout ${quoted(text)}`, {
    hint: `Give whole seconds, at most ${timeoutMaxSeconds}.`,
  });
}
