// coi info: one stored session.
import type { Command } from 'commander';
import { Option } from 'commander';
import { lookedUpConfig } from '../../../app/configuration.ts';
import { newest, one } from '../../../app/saved-session.ts';
import { here } from '../../../app/workspace-names.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import type { SessionMetadata } from '../../../session/record/metadata.ts';
import { belongsTo } from '../../../session/store/saved-sessions.ts';
import { measured } from '../../../session/store/store-size.ts';
import { shellWord } from '../../../shell-quoting.ts';
import { tools } from '../../../tools/list.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { infoJson, infoText } from '../../ui/views/info.ts';

interface Options extends GlobalOptions {
  format: 'text' | 'json';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-id]',
      'a saved session or its container (default: the newest of the workspace, or of all)',
    )
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .action((id: string | undefined) => info(app, flagsOf<Options>(command), id));
}

async function info(app: App, options: Options, id: string | undefined): Promise<void> {
  const metadata = id === undefined ? newest(app, options) : one(app, id);
  const { settings } = await lookedUpConfig(app, options);
  const dir = `${app.user.home}/.coi/sessions-${metadata.tool}/${metadata.sessionId}`;
  const stateDir = tools(settings).find(({ name }) => name === metadata.tool)?.stateDirs[0] ?? '.';
  const data = measured(`${dir}/${stateDir}`, hostFiles);
  const model = { metadata, dir, stateDir, data, resume: resume(app, metadata) };
  if (options.json || options.format === 'json') app.io.printJson(infoJson(model));
  else app.io.print(infoText(model).join('\n'));
}

/** A session is only resumed in its own workspace. */
function resume(app: App, metadata: SessionMetadata): string {
  const { workspace, sessionId } = metadata;
  const isHere = workspace === undefined || belongsTo(metadata, here(app, { workspace: '.' }));
  const there = isHere ? [] : [`--workspace=${shellWord(workspace)}`];
  return ['coi', 'shell', ...there, `--resume=${sessionId}`].join(' ');
}
