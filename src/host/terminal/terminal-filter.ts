// Filters a session's output for the user's terminal: clipboard, notification, link and title sequences. Pure.
// Sequences: ECMA-48 (OSC is ESC ] … BEL or ESC \, DCS is ESC P … ESC \); numbers from xterm's ctlseqs, kitty and iTerm2.

export interface TerminalRules {
  readonly clipboard: boolean;
  readonly notifications: boolean;
  readonly links: boolean;
  readonly title: boolean;
}

type Kind = keyof TerminalRules;

/** By OSC number. 1337 is iTerm2's, for many purposes. */
const kinds: Readonly<Record<number, readonly Kind[]>> = {
  0: ['title'],
  1: ['title'],
  2: ['title'],
  8: ['links'],
  9: ['notifications'],
  52: ['clipboard'],
  99: ['notifications'],
  777: ['notifications'],
  1337: ['clipboard', 'notifications', 'title'],
  5522: ['clipboard'],
};

const bel = 0x07;
const cancel = 0x18;
const substitute = 0x1a;
const escapeByte = 0x1b;
const semicolon = 0x3b;
const backslash = 0x5c;
const headerMax = 16;
const empty = Buffer.alloc(0);

/** Removes forbidden sequences from a stream, also when they are split across chunks; undefined if all are allowed. */
export function terminalFilter(
  rules: TerminalRules,
): ((chunk: Uint8Array) => Uint8Array) | undefined {
  if (Object.values(rules).every(Boolean)) return undefined;
  const filter = new Filter(rules);
  return (chunk) => filter.pass(chunk);
}

type State =
  /** Text or an allowed sequence. */
  | 'ground'
  /** After ESC, and after the first byte of a C1 control in UTF-8. */
  | 'escape'
  | 'c1'
  /** In the number of an OSC. */
  | 'header'
  /** In a sequence that is removed. */
  | 'drop'
  /** After ESC in a removed sequence. */
  | 'drop-escape'
  /** After 0xc2 in a removed sequence. */
  | 'drop-c1';

function isControl(byte: number): boolean {
  const endsIt = byte === escapeByte || byte === cancel || byte === substitute;
  return (byte < 0x20 && !endsIt) || byte === 0x7f;
}

class Filter {
  readonly #rules: TerminalRules;
  #state: State = 'ground';
  /** The bytes of an undecided sequence. */
  #held: number[] = [];
  #number = '';

  constructor(rules: TerminalRules) {
    this.#rules = rules;
  }

  pass(chunk: Uint8Array): Uint8Array {
    // Nearly all output is plain text.
    if (this.#state === 'ground' && !chunk.includes(escapeByte) && !chunk.includes(0xc2))
      return chunk;
    const out: number[] = [];
    for (const byte of chunk) this.#step(byte, out);
    return out.length === 0 ? empty : Uint8Array.from(out);
  }

  #step(byte: number, out: number[]): void {
    switch (this.#state) {
      case 'ground':
        this.#ground(byte, out);
        break;
      case 'escape':
        if (byte === 0x5d) this.#header(byte);
        // Terminals execute other control characters within a sequence and then continue it.
        else if (isControl(byte)) out.push(byte);
        // DCS, SOS, PM, APC: with tmux on the user's side they can wrap other sequences.
        else if ([0x50, 0x58, 0x5e, 0x5f].includes(byte)) this.#drop();
        else this.#release(byte, out);
        break;
      case 'c1':
        if (byte === 0x9d) this.#header(byte);
        else if ([0x90, 0x98, 0x9e, 0x9f].includes(byte)) this.#drop();
        else this.#release(byte, out);
        break;
      case 'header':
        this.#inHeader(byte, out);
        break;
      case 'drop':
        this.#inDrop(byte);
        break;
      case 'drop-escape':
        this.#state = 'ground';
        if (byte === backslash) break;
        // ESC aborts the sequence and starts a new one.
        this.#ground(escapeByte, out);
        this.#step(byte, out);
        break;
      case 'drop-c1':
        this.#state = byte === 0x9c ? 'ground' : 'drop';
        if (this.#state === 'drop') this.#inDrop(byte);
        break;
      default:
        this.#state satisfies never;
    }
  }

  #ground(byte: number, out: number[]): void {
    if (byte !== escapeByte && byte !== 0xc2) {
      out.push(byte);
      return;
    }
    this.#state = byte === escapeByte ? 'escape' : 'c1';
    this.#held = [byte];
  }

  #header(byte: number): void {
    this.#state = 'header';
    this.#held.push(byte);
    this.#number = '';
  }

  #inHeader(byte: number, out: number[]): void {
    const isEnd = byte === semicolon || byte === bel || byte === escapeByte || byte === 0xc2;
    if (byte === cancel || byte === substitute) {
      this.#release(byte, out);
      return;
    }
    this.#held.push(byte);
    if (!isEnd) {
      // Terminals ignore other control characters.
      if (byte >= 0x20) this.#number += String.fromCharCode(byte);
      if (this.#held.length > headerMax) this.#drop();
      return;
    }
    if (this.#isAllowed()) {
      this.#held.pop();
      this.#release(byte, out);
      return;
    }
    this.#drop();
    if (byte !== semicolon) this.#inDrop(byte);
  }

  #inDrop(byte: number): void {
    if (byte === bel || byte === cancel || byte === substitute) this.#state = 'ground';
    else if (byte === escapeByte) this.#state = 'drop-escape';
    else if (byte === 0xc2) this.#state = 'drop-c1';
  }

  #drop(): void {
    this.#state = 'drop';
    this.#held = [];
  }

  /** Outputs the held bytes; `byte` follows and may start the next sequence. */
  #release(byte: number, out: number[]): void {
    for (const held of this.#held) out.push(held);
    this.#held = [];
    this.#state = 'ground';
    this.#ground(byte, out);
  }

  /** Old sequences without a number (`l`, `L`) set titles. */
  #isAllowed(): boolean {
    const word = this.#number;
    const touched: readonly Kind[] = /^\d+$/.test(word)
      ? (kinds[Number(word)] ?? [])
      : ['title', 'clipboard', 'notifications'];
    return touched.every((kind) => this.#rules[kind]);
  }
}
