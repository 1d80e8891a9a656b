// A user-defined tool, from its table [tools.NAME].
import type { CustomTool } from '../config/keys/custom-tool.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool, ToolLaunch } from './tool.ts';

export function toCustomTool(name: string, table: CustomTool): Tool {
  const [firstState] = table.state_dirs;
  const filled = (launch: ToolLaunch) => (word: string) => fillPlaceholders(word, launch);
  return {
    name,
    title: table.title ?? name,
    sessionsDir: `sessions-${name}`,
    stateDirs: table.state_dirs,
    ...(firstState !== undefined && {
      statusDir: statusDirectoryIn(firstState),
      ownFiles: [{ path: `${firstState}/coi/status.sh`, content: { guest: 'coi-status.sh' } }],
    }),
    seeds: table.seeds.map(({ from, to, kind }) => ({ from, to: to ?? from, kind })),
    command: (launch) => {
      const [program, ...rest] = table.command;
      const permission =
        launch.permissionMode === 'bypass' ? table.bypass_args : table.interactive_args;
      const conversation = launch.conversation.kind === 'new' ? table.new_args : table.resume_args;
      return [launch.binary ?? program ?? name, ...rest, ...permission, ...conversation].map(
        filled(launch),
      );
    },
    environment: (launch) =>
      Object.fromEntries(
        Object.entries(table.environment).map(([key, value]) => [
          key,
          fillPlaceholders(value, launch),
        ]),
      ),
    settings: () => [],
    usesSessionId: true,
    ...(table.context_file !== undefined && { contextFile: table.context_file }),
  };
}

function fillPlaceholders(word: string, launch: ToolLaunch): string {
  const { conversation, sessionId } = launch;
  const values: Readonly<Record<string, string>> = {
    // A resumed conversation keeps its id.
    session: (conversation.kind === 'resume' ? conversation.id : undefined) ?? sessionId,
    workspace: launch.workspace,
    home: launch.home,
    model: launch.model ?? '',
  };
  return word.replace(/\{(session|workspace|home|model)\}/g, (_, key: string) => values[key] ?? '');
}
