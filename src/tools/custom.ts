// A tool of the user's own, made from its table [tools.NAME].
import type { CustomTool } from '../config/keys/custom-tool.ts';
import type { Tool, ToolLaunch } from './shape.ts';

export function customToolOf(name: string, table: CustomTool): Tool {
  const filled = (launch: ToolLaunch) => (word: string) => fill(word, launch);
  return {
    name,
    title: table.title ?? name,
    sessionsDir: `sessions-${name}`,
    stateDirs: table.state_dirs,
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
        Object.entries(table.environment).map(([key, value]) => [key, fill(value, launch)]),
      ),
    settings: () => [],
    idsAreOurs: true,
    ...(table.context_file !== undefined && { contextFile: table.context_file }),
  };
}

function fill(word: string, launch: ToolLaunch): string {
  const { conversation, sessionId } = launch;
  const values: Readonly<Record<string, string>> = {
    // What the conversation was begun with is what it goes on with.
    session: (conversation.kind === 'resume' ? conversation.id : undefined) ?? sessionId,
    workspace: launch.workspace,
    home: launch.home,
    model: launch.model ?? '',
  };
  return word.replace(/\{(session|workspace|home|model)\}/g, (_, key: string) => values[key] ?? '');
}
