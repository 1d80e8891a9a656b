// Check for a terminal, before anything is created.
import { noTerminal } from '../app/terminal/no-terminal.ts';
import type { App } from './app.ts';

/** Throws `no-terminal` unless stdin and stdout are terminals. */
export function requireTerminal(app: App, command: string): void {
  if (!app.io.interactive) throw noTerminal(command);
}
