// `coi tool spec`: the command of an agent, for programs that start it in their own container.
import type { Command } from 'commander';
import { loadRequestConfig } from '../../../app/configuration.ts';
import { agentCommand } from '../../../app/open-session/agent-process.ts';
import { resolveWorkspace } from '../../../app/resolve-workspace.ts';
import { mountPoint } from '../../../app/session-spec/workspace-mount.ts';
import { readTextFile } from '../../../app/text-file.ts';
import { CoiError } from '../../../errors.ts';
import { parseContainerName, parseSessionId } from '../../../names.ts';
import { guestHome } from '../../../session/plan/environment.ts';
import { findTool, toolModel } from '../../../tools/list.ts';
import type { Conversation, ToolLaunch } from '../../../tools/tool.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { configurationRequest } from '../../requests.ts';

interface Options extends GlobalOptions {
  container: string;
  sessionId: string;
  promptFile?: string;
  systemPromptFile?: string;
  resumeId?: string;
  resumeLatest?: boolean;
  tool?: string;
}

export function register(command: Command, app: App): void {
  command
    .command('spec')
    .description('print the command, environment and prompt of an agent as JSON')
    .requiredOption('--container <name>', 'container that the agent will run in')
    .requiredOption('--session-id <id>', 'id of the new conversation')
    .option(
      '--prompt-file <path>',
      'file with a prompt to run without a terminal (pass it on stdin)',
    )
    .option('--system-prompt-file <path>', 'file to append to the system prompt')
    .option('--resume-id <id>', 'resume the conversation with this id')
    .option('--resume-latest', 'resume the newest conversation')
    .option('--tool <name>', 'agent (default: the configured one)')
    .option('--json', 'no effect: the output is always JSON')
    .action((options: Options) => spec(app, { ...mergedOptions<Options>(command), ...options }));
}

async function spec(app: App, options: Options): Promise<void> {
  parseContainerName(options.container);
  const workspace = resolveWorkspace(app, options.workspace);
  const { settings } = await loadRequestConfig(app, configurationRequest(app, options), workspace);
  const tool = findTool(settings['tool.name'], settings, app.env);
  const launch: ToolLaunch = {
    sessionId: parseSessionId(options.sessionId),
    conversation: parseConversation(options),
    permissionMode: settings['tool.permission_mode'],
    home: guestHome,
    workspace: mountPoint(app, workspace, settings),
    binary: settings['tool.binary'],
    ...toolModel(tool.name, settings),
  };
  const { promptFile, systemPromptFile } = options;
  const command = [...agentCommand(tool, launch, promptFile !== undefined)];
  if (systemPromptFile !== undefined) {
    if (tool.name !== 'claude')
      throw new CoiError('usage', `${tool.title} does not support a system prompt`, {
        hint: 'Use claude, which does.',
      });
    command.push(
      '--append-system-prompt',
      readTextFile(app, systemPromptFile, 'the file', workspace),
    );
  }
  app.io.printJson({
    command,
    env: tool.environment(launch),
    ...(promptFile === undefined
      ? {}
      : { prompt: readTextFile(app, promptFile, 'the file', workspace) }),
  });
}

function parseConversation(options: Options): Conversation {
  const { resumeId, resumeLatest } = options;
  const continued = options.continue ?? options.resume;
  const selected = [resumeId, resumeLatest, continued].filter((one) => one !== undefined);
  if (selected.length > 1)
    throw new CoiError('usage', '--continue, --resume-id and --resume-latest cannot be combined', {
      hint: 'Use one of them.',
    });
  if (selected.length === 0) return { kind: 'new' };
  const id =
    resumeId ?? (typeof continued === 'string' && continued !== 'auto' ? continued : undefined);
  if (id !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id))
    throw new CoiError('usage', 'invalid conversation id');
  return { kind: 'resume', ...(id ? { id } : {}) };
}
