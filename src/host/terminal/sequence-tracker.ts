// Follows a terminal's output, to know whether something else may be written now: not within an escape sequence or a
// character, which would break both. Pure. Sequences: ECMA-48; ESC and CAN end any of them.

const bel = 0x07;
const cancel = 0x18;
const substitute = 0x1a;
const escapeByte = 0x1b;

type State = 'ground' | 'escape' | 'control' | 'string' | 'string-escape';

export class SequenceTracker {
  #state: State = 'ground';
  /** Bytes that are missing of a character in UTF-8. */
  #missing = 0;

  /** Everything so far is complete. */
  get isBetween(): boolean {
    return this.#state === 'ground' && this.#missing === 0;
  }

  see(chunk: Uint8Array): void {
    for (const byte of chunk) this.#step(byte);
  }

  #step(byte: number): void {
    if (byte === escapeByte) {
      this.#missing = 0;
      this.#state = this.#state === 'string' ? 'string-escape' : 'escape';
      return;
    }
    if (byte === cancel || byte === substitute) {
      this.#state = 'ground';
      return;
    }
    switch (this.#state) {
      case 'ground':
        this.#inText(byte);
        return;
      case 'escape':
        this.#state = afterEscape(byte);
        return;
      case 'control':
        if (byte >= 0x40 && byte <= 0x7e) this.#state = 'ground';
        return;
      case 'string':
        if (byte === bel) this.#state = 'ground';
        return;
      case 'string-escape':
        // A backslash ends the string; anything else begins another sequence.
        this.#state = byte === 0x5c ? 'ground' : afterEscape(byte);
        return;
    }
  }

  #inText(byte: number): void {
    if (byte < 0x80) this.#missing = 0;
    else if (byte < 0xc0) this.#missing = Math.max(0, this.#missing - 1);
    else this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  }
}

function afterEscape(byte: number): State {
  if (byte === 0x5b) return 'control';
  // OSC, DCS, SOS, PM, APC.
  if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte)) return 'string';
  // Intermediate bytes, as in the choice of a character set; control characters are executed in between.
  return byte < 0x30 ? 'escape' : 'ground';
}
