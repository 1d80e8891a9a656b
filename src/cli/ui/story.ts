// What a person at a terminal is told when a session begins and when it is left, in a line each. Pure.
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import { oneLine } from '../../printable.ts';
import { shellWord } from '../../shell-quoting.ts';
import { cells } from './fit.ts';

export interface Beginning {
  /** `claude`, or `bash` with --debug. */
  readonly agent: string;
  readonly container: string;
  readonly alias: string | undefined;
  readonly slot: number | undefined;
  /** `restricted`, `allowlist` or `open`; undefined where coi does not know. */
  readonly network: string | undefined;
  readonly persistent: boolean;
  readonly tmux: boolean;
  /** The container was there already. */
  readonly again: boolean;
  readonly resumed: 'no' | 'conversation' | 'new-conversation';
}

/** What does not fit is left out, the least important first; the container is always named. */
export function beginningLine(begun: Beginning, columns: number): string {
  const { agent, alias, container, slot, network } = begun;
  const named = alias === undefined ? container : `${oneLine(alias)} (${container})`;
  const more = [
    ...(slot === undefined ? [] : [`slot ${slot}`]),
    ...(network === undefined ? [] : [`network ${network}`]),
    ...(begun.persistent ? ['persistent'] : []),
    ...(begun.again ? ['started again'] : []),
    ...(begun.resumed === 'no' ? [] : [resumedWords[begun.resumed]]),
    ...(begun.tmux ? [] : ['without tmux']),
  ];
  let line = `${agent} in ${named}`;
  for (const part of more) {
    if (cells(line) + 2 + cells(part) > columns) break;
    line += `, ${part}`;
  }
  return line;
}

const resumedWords = {
  conversation: 'the conversation goes on',
  'new-conversation': 'with a new conversation',
} as const;

export interface Ending {
  readonly container: string;
  readonly outcome: 'running' | 'frozen' | 'kept' | 'removed' | 'gone' | 'unknown';
  /** `detached`: the agent has its terminal still. `closed`: what ran on the terminal has ended. */
  readonly left: 'detached' | 'closed' | 'interrupted' | 'lost';
  /** Goes on with the conversation (`resumeCommand`); undefined where none is kept. */
  readonly resume: string | undefined;
  /** Why the container of a session that has ended is still there. */
  readonly problem?: string | undefined;
}

export function endingLine({ container, outcome, left, resume, problem }: Ending): string {
  const again = resume === undefined ? '' : `; resume: ${resume}`;
  switch (outcome) {
    case 'running':
      return left === 'closed'
        ? `The terminal has ended, the container runs on. Attach: coi attach ${container}; end it: coi kill ${container}`
        : `${leftWords[left]}; the session goes on. Attach: coi attach ${container}${left === 'interrupted' ? `; end it: coi kill ${container}` : ''}`;
    case 'frozen':
      return `The session is paused. Go on: coi unfreeze ${container}; end it: coi kill ${container}`;
    case 'kept':
      return `Session ended, its container is kept${again}`;
    case 'removed':
    case 'gone':
      if (problem !== undefined)
        return `Session ended, but its container could not be removed (${problem}); \`coi clean\` tries again`;
      return `Session ended${again}`;
    case 'unknown':
      return 'Incus does not answer, so nothing was touched; `coi list` shows what is left';
    default:
      return outcome satisfies never;
  }
}

const leftWords = {
  detached: 'Detached',
  interrupted: 'Interrupted',
  lost: 'The terminal was lost',
} as const;

export function leftBy(end: BridgeEnd): Ending['left'] {
  if (end.kind !== 'exited') return end.kind;
  if (end.status !== 0) return 'lost';
  return end.detached ? 'detached' : 'closed';
}

/** What a person types, where they are, to go on with a conversation. */
export function resumeCommand(
  id: string,
  { workspace, alias, cwd }: { workspace: string; alias: string | undefined; cwd: string },
): string {
  const resume = `--resume=${id}`;
  if (workspace === cwd) return `coi shell ${resume}`;
  if (alias !== undefined) return `coi shell ${oneLine(alias)} ${resume}`;
  return `coi shell -w ${shellWord(oneLine(workspace))} ${resume}`;
}
