// coi tool spec: how an agent is started, for programs that start it themselves in a container of theirs.
import type { Command } from 'commander';
import { answeringWorkspace } from '../../../app/answering-workspace.ts';
import { config } from '../../../app/configuration.ts';
import { agentCommand } from '../../../app/open-session/agent-process.ts';
import { targetIn } from '../../../app/session-spec/workspace-mount.ts';
import { fileText } from '../../../app/text-file.ts';
import { CoiError } from '../../../errors.ts';
import { parseContainerName, parseSessionId } from '../../../names.ts';
import { guestHome } from '../../../session/plan/environment.ts';
import { tool as findTool, toolChoices } from '../../../tools/list.ts';
import type { Conversation, ToolLaunch } from '../../../tools/shape.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
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
    .description('print command, environment and prompt of the agent as JSON')
    .requiredOption('--container <name>', 'the container that it will run in')
    .requiredOption('--session-id <id>', 'id of a new conversation')
    .option('--prompt-file <path>', 'one prompt without a terminal, to be passed on stdin')
    .option('--system-prompt-file <path>', 'added to what the agent is told')
    .option('--resume-id <id>', 'go on with that conversation')
    .option('--resume-latest', 'go on with the newest conversation')
    .option('--tool <name>', 'the agent (default: the configured one)')
    .option('--json', 'as it always is')
    .action((options: Options) => spec(app, { ...flagsOf<Options>(command), ...options }));
}

async function spec(app: App, options: Options): Promise<void> {
  parseContainerName(options.container);
  const workspace = answeringWorkspace(app, options.workspace);
  const { settings } = await config(app, configurationRequest(app, options), workspace);
  const tool = findTool(settings['tool.name'], settings, app.env);
  const launch: ToolLaunch = {
    sessionId: parseSessionId(options.sessionId),
    conversation: conversation(options),
    permissionMode: settings['tool.permission_mode'],
    home: guestHome,
    workspace: targetIn(app, workspace, settings),
    binary: settings['tool.binary'],
    ...toolChoices(tool.name, settings),
  };
  const { promptFile, systemPromptFile } = options;
  const command = [...agentCommand(tool, launch, promptFile !== undefined)];
  if (systemPromptFile !== undefined) {
    if (tool.name !== 'claude')
      throw new CoiError('usage', `${tool.title} takes no system prompt`, {
        hint: 'Only claude does.',
      });
    command.push('--append-system-prompt', fileText(app, systemPromptFile, 'the file', workspace));
  }
  app.io.printJson({
    command,
    env: tool.environment(launch),
    ...(promptFile === undefined
      ? {}
      : { prompt: fileText(app, promptFile, 'the file', workspace) }),
  });
}

function conversation(options: Options): Conversation {
  const { resumeId, resumeLatest } = options;
  const continued = options.continue ?? options.resume;
  const given = [resumeId, resumeLatest, continued].filter((one) => one !== undefined);
  if (given.length > 1)
    throw new CoiError('usage', '--continue, --resume-id and --resume-latest exclude each other', {
      hint: 'Use one of them.',
    });
  if (given.length === 0) return { kind: 'new' };
  const id =
    resumeId ?? (typeof continued === 'string' && continued !== 'auto' ? continued : undefined);
  if (id !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id))
    throw new CoiError('usage', 'invalid id of a conversation');
  return { kind: 'resume', ...(id ? { id } : {}) };
}
