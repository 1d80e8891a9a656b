// Notices beside the screen of an agent.
import { printable } from '../../printable.ts';
import type { App } from '../app.ts';

/** The terminal is in raw mode and belongs to the guest's screen: a line of our own, with a bell. */
export function showAlert({ io }: App): (message: string) => void {
  return (message) => void io.stderr.write(`\r\n\u0007${printable(message)}\r\n`);
}
