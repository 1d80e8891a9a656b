// What needs a terminal says so before anything is made.
import { noTerminal } from '../app/terminal/no-terminal.ts';
import type { App } from './app.ts';

/** Throws `no-terminal` unless stdin and stdout are terminals. */
export function needTerminal(app: App, command: string): void {
  if (!app.io.interactive) throw noTerminal(command);
}
