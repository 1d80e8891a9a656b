// `coi info`: shows a saved session.
import type { Command } from 'commander';
import { Option } from 'commander';
import { readConfig } from '../../../app/configuration.ts';
import { findSavedSession, newestSavedSession } from '../../../app/saved-session.ts';
import { identifyWorkspace } from '../../../app/workspace-names.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import type { SessionMetadata } from '../../../session/record/metadata.ts';
import { belongsToWorkspace } from '../../../session/store/saved-sessions.ts';
import { measureStore } from '../../../session/store/store-size.ts';
import { shellQuoteIfNeeded } from '../../../shell-quoting.ts';
import { allTools } from '../../../tools/list.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { infoJson, infoText } from '../../ui/views/info.ts';

interface Options extends GlobalOptions {
  format: 'text' | 'json';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-id]',
      'saved session or its container (default: the newest of the workspace, or of all)',
    )
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
    .action((id: string | undefined) => info(app, mergedOptions<Options>(command), id));
}

async function info(app: App, options: Options, id: string | undefined): Promise<void> {
  const metadata = id === undefined ? newestSavedSession(app, options) : findSavedSession(app, id);
  const { settings } = await readConfig(app, options);
  const dir = `${app.user.home}/.coi/sessions-${metadata.tool}/${metadata.sessionId}`;
  const stateDir =
    allTools(settings).find(({ name }) => name === metadata.tool)?.stateDirs[0] ?? '.';
  const data = measureStore(`${dir}/${stateDir}`, hostFiles);
  const model = { metadata, dir, stateDir, data, resume: resume(app, metadata) };
  if (options.json || options.format === 'json') app.io.printJson(infoJson(model));
  else app.io.print(infoText(model).join('\n'));
}

/** A session can only be resumed in its own workspace. */
function resume(app: App, metadata: SessionMetadata): string {
  const { workspace, sessionId } = metadata;
  const isHere =
    workspace === undefined ||
    belongsToWorkspace(metadata, identifyWorkspace(app, { workspace: '.' }));
  const there = isHere ? [] : [`--workspace=${shellQuoteIfNeeded(workspace)}`];
  return ['coi', 'shell', ...there, `--resume=${sessionId}`].join(' ');
}
