// Lets coi see what the user types into a session's terminal, and write to that terminal without breaking its output.
import { SequenceTracker } from './sequence-tracker.ts';

const focusIn = '\u001b[I';
const focusOut = '\u001b[O';
const waitingMax = 20;

export class TerminalTap {
  /** Called at each input; `focus`: whether the terminal has got or lost the focus with it, if it reports that. */
  onInput: ((focus: 'in' | 'out' | undefined) => void) | undefined;
  readonly #write: (text: string) => void;
  readonly #tracker = new SequenceTracker();
  readonly #waiting: string[] = [];
  /** The beginning of a sequence. */
  #tail: Uint8Array = Buffer.alloc(0);

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Of the user. */
  input(given: Buffer): void {
    if (!this.onInput) return;
    const chunk = Buffer.concat([this.#tail, given]);
    this.#tail = tailOf(chunk);
    const [gained, lost] = [chunk.lastIndexOf(focusIn), chunk.lastIndexOf(focusOut)];
    this.onInput(gained === lost ? undefined : gained > lost ? 'in' : 'out');
  }

  /** What was just written to the terminal. */
  output(chunk: Uint8Array): void {
    this.#tracker.see(chunk);
    if (this.#tracker.isBetween) for (const text of this.#waiting.splice(0)) this.#write(text);
  }

  /** Writes a complete text or sequence, now or as soon as it is possible. */
  interject(text: string): void {
    if (this.#tracker.isBetween) this.#write(text);
    else if (this.#waiting.length < waitingMax) this.#waiting.push(text);
  }
}

/** What the next input may continue. */
function tailOf(chunk: Buffer): Uint8Array {
  for (const begin of ['\u001b[', '\u001b'])
    if (chunk.subarray(-begin.length).toString('latin1') === begin) return Buffer.from(begin);
  return Buffer.alloc(0);
}
