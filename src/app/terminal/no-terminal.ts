// The error for a missing terminal.
import { CoiError } from '../../errors.ts';

const startHint =
  'Use `coi shell --background` to start an agent, or `coi run -- COMMAND` to run one command.';
const hints: Readonly<Record<string, string>> = {
  'coi attach': 'Use `coi tmux capture` to see the screen, and `coi tmux send` to type.',
  'coi ui': 'Use `coi list` to see your sessions, and `coi events --json` to follow them.',
};

export function noTerminal(command: string): CoiError {
  const hint = hints[command] ?? startHint;
  return new CoiError('no-terminal', `${command} needs a terminal on stdin and stdout`, { hint });
}
