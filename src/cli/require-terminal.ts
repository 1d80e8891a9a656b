// What needs a terminal says so before anything is made.
import { CoiError } from '../errors.ts';
import type { App } from './app.ts';

/** Throws `no-terminal` unless stdin and stdout are terminals. */
export function needTerminal(app: App, command: string): void {
  if (app.io.interactive) return;
  const hint =
    command === 'coi attach'
      ? 'Without one use `coi tmux capture` to see the screen, and `coi tmux send` to type.'
      : 'Without one use `coi shell --background` to start an agent, or `coi run -- COMMAND` to run one command.';
  throw new CoiError('no-terminal', `${command} needs a terminal on stdin and stdout`, { hint });
}
