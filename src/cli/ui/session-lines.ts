// The lines on a terminal at the start and at the end of a session. Pure.
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import { oneLine } from '../../printable.ts';
import { shellQuoteIfNeeded } from '../../shell-quoting.ts';
import { displayWidth } from './text-width.ts';

export interface SessionStart {
  /** `claude`, or `bash` with --debug. */
  readonly agent: string;
  readonly container: string;
  readonly alias: string | undefined;
  readonly slot: number | undefined;
  /** `restricted`, `allowlist` or `open`; undefined if unknown. */
  readonly network: string | undefined;
  readonly persistent: boolean;
  readonly tmux: boolean;
  /** The container already existed. */
  readonly restarted: boolean;
  readonly resumed: 'no' | 'conversation' | 'new-conversation';
}

/** Parts that do not fit are left out, the least important first; the container is always named. */
export function startLine(start: SessionStart, columns: number): string {
  const { agent, alias, container, slot, network } = start;
  const named = alias === undefined ? container : `${oneLine(alias)} (${container})`;
  const more = [
    ...(slot === undefined ? [] : [`slot ${slot}`]),
    ...(network === undefined ? [] : [`network ${network}`]),
    ...(start.persistent ? ['persistent'] : []),
    ...(start.restarted ? ['restarted'] : []),
    ...(start.resumed === 'no' ? [] : [resumedText[start.resumed]]),
    ...(start.tmux ? [] : ['without tmux']),
  ];
  let line = `${agent} in ${named}`;
  for (const part of more) {
    if (displayWidth(line) + 2 + displayWidth(part) > columns) break;
    line += `, ${part}`;
  }
  return line;
}

const resumedText = {
  conversation: 'conversation resumed',
  'new-conversation': 'new conversation',
} as const;

export interface SessionEnd {
  readonly container: string;
  readonly outcome: 'running' | 'frozen' | 'kept' | 'removed' | 'gone' | 'unknown';
  /** `detached`: the agent still has its tmux terminal. `closed`: the program on the terminal exited. */
  readonly exit: 'detached' | 'closed' | 'interrupted' | 'lost';
  /** The command that resumes the conversation (`resumeCommand`); undefined if none is saved. */
  readonly resume: string | undefined;
  /** Why the container of an ended session still exists. */
  readonly problem?: string | undefined;
}

export function endLine({ container, outcome, exit, resume, problem }: SessionEnd): string {
  const resumeHint = resume === undefined ? '' : `; resume: ${resume}`;
  switch (outcome) {
    case 'running':
      return exit === 'closed'
        ? `The terminal has closed; the container is still running. Attach: coi attach ${container}; end it: coi kill ${container}`
        : `${exitText[exit]}; the session is still running. Attach: coi attach ${container}${exit === 'interrupted' ? `; end it: coi kill ${container}` : ''}`;
    case 'frozen':
      return `The session is paused. Resume: coi unfreeze ${container}; end it: coi kill ${container}`;
    case 'kept':
      return `Session ended; its container is kept${resumeHint}`;
    case 'removed':
    case 'gone':
      if (problem !== undefined)
        return `Session ended, but its container could not be removed (${problem}); \`coi clean\` tries again`;
      return `Session ended${resumeHint}`;
    case 'unknown':
      return 'Incus does not answer, so nothing was changed; `coi list` shows what is left';
    default:
      return outcome satisfies never;
  }
}

const exitText = {
  detached: 'Detached',
  interrupted: 'Interrupted',
  lost: 'The terminal was lost',
} as const;

export function terminalExit(end: BridgeEnd): SessionEnd['exit'] {
  if (end.kind !== 'exited') return end.kind;
  if (end.status !== 0) return 'lost';
  return end.detached ? 'detached' : 'closed';
}

/** The command that resumes a conversation from the directory `cwd`. */
export function resumeCommand(
  id: string,
  { workspace, alias, cwd }: { workspace: string; alias: string | undefined; cwd: string },
): string {
  const resume = `--resume=${id}`;
  if (workspace === cwd) return `coi shell ${resume}`;
  if (alias !== undefined) return `coi shell ${oneLine(alias)} ${resume}`;
  return `coi shell -w ${shellQuoteIfNeeded(oneLine(workspace))} ${resume}`;
}
