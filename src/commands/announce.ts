// What is said before a session's terminal opens: one line on a terminal, the predecessor's story elsewhere.
import type { App } from '../app.ts';
import { beginningLine } from '../ui/story.ts';
import type { Live } from './bring-up.ts';
import type { Meant, ShellOptions } from './meant.ts';

export function announce(
  { io }: App,
  options: Pick<ShellOptions, 'background' | 'debug'>,
  meant: Meant,
  live: Live,
  tmux: boolean,
): void {
  const { choice, resolved } = meant;
  io.detail(`[setup] Container name: ${live.container}`);
  if (resolved.settings['security.disable_protection'])
    io.tell(
      '*** SECURITY: nothing in the workspace is protected ([security] disable_protection) ***',
    );
  io.detail('[setup] Container setup complete!\n\nStarting session...');
  if (live.session !== undefined) io.detail(`Session ID: ${live.session}`);
  io.detail(`Container: ${live.container}\nWorkspace: ${live.workspace}`);
  io.detail(
    `Mode: ${options.background ? 'Background (tmux)' : tmux ? 'Interactive (tmux)' : 'Direct (no tmux)'}`,
  );
  if (choice.kind === 'resume' || choice.kind === 'restart') {
    const kept = choice.kind === 'restart' ? 'same container' : 'new container';
    const conversation =
      live.conversation === 'resume' ? 'conversation goes on' : 'new conversation';
    io.detail(`Resume mode: ${kept}, ${conversation}`);
  }
  io.detail('');
  if (!io.brief) return;
  const line = beginningLine(begun(options, meant, live, tmux), io.columns.story);
  io.tell(io.storyStyle.dim(line));
}

function begun(
  { debug, background }: Pick<ShellOptions, 'background' | 'debug'>,
  { choice, resolved, persistent }: Meant,
  live: Live,
  tmux: boolean,
): Parameters<typeof beginningLine>[0] {
  const { settings } = resolved;
  const joined = choice.kind === 'join' ? choice.container : undefined;
  const resumed = choice.kind === 'resume' || (choice.kind === 'restart' && choice.saved);
  return {
    agent: debug ? 'bash' : settings['tool.name'],
    container: live.container,
    alias: (joined ? joined.session?.alias : settings['container.alias']) || undefined,
    slot: live.slot,
    network: joined ? joined.session?.network : settings['network.mode'],
    persistent: joined ? (joined.session?.persistent ?? true) : persistent,
    tmux: tmux || (background ?? false),
    again: choice.kind === 'restart',
    resumed: !resumed ? 'no' : live.conversation === 'resume' ? 'conversation' : 'new-conversation',
  };
}

/** What a person should know before the agent writes. */
export function setupFact({ io }: App, text: string): void {
  io.tell(io.brief ? text : `[setup] ${text}`);
}
