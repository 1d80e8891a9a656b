// Security notices on the terminal of an agent.
import { printable } from '../../printable.ts';
import type { App } from '../app.ts';

/** Prints a separate line with a bell, since the terminal is in raw mode and shows the guest's screen. */
export function showAlert({ io }: App): (message: string) => void {
  return (message) => void io.stderr.write(`\r\n\u0007${printable(message)}\r\n`);
}
