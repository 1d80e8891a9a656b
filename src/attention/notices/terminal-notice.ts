// Notices as escape sequences of the user's own terminal. Pure. Sources: xterm's ctlseqs (OSC), iTerm2's and Windows
// Terminal's documentation (OSC 9), rxvt-unicode and foot (OSC 777), kitty (OSC 99), tmux(1) (passthrough).
import type { NoticeText } from './notice-text.ts';

export const terminalNoticeKinds = ['auto', 'osc9', 'osc777', 'osc99', 'bell', 'off'] as const;
export type TerminalNoticeKind = (typeof terminalNoticeKinds)[number];

export interface TerminalFacts {
  readonly term: string;
  /** `TERM_PROGRAM`. */
  readonly program: string;
  /** The terminal is a pane of the user's own tmux, or of screen. */
  readonly isInTmux: boolean;
}

const bell = '\u0007';
const esc = '\u001b';
const partMax = 100;

/** Letters and digits of every script, and punctuation without meaning in any of the sequences. */
const notPlain = /[^\p{L}\p{M}\p{N} ._/,:?!'()+-]+/gu;

/** Ends with a bell, which also reaches the user where the terminal knows no notices. Empty if turned off. */
export function terminalNotice(
  text: NoticeText,
  kind: TerminalNoticeKind,
  facts: TerminalFacts,
): string {
  const chosen = kind === 'auto' ? sequenceFor(facts) : kind;
  if (chosen === 'off') return '';
  const sequence = chosen === 'bell' ? '' : sequenceOf(chosen, plain(text.title), plain(text.body));
  return `${facts.isInTmux && sequence !== '' ? throughTmux(sequence) : sequence}${bell}`;
}

function plain(text: string): string {
  return [...text.replace(notPlain, ' ').replace(/ +/g, ' ').trim()].slice(0, partMax).join('');
}

function sequenceOf(kind: 'osc9' | 'osc777' | 'osc99', title: string, body: string): string {
  // Some terminals take an OSC 9 that begins with a number for a command of another kind.
  const line = `coi: ${body === '' ? title : `${title}: ${body}`}`;
  switch (kind) {
    case 'osc9':
      return `${esc}]9;${line}${bell}`;
    case 'osc777':
      return `${esc}]777;notify;coi: ${title};${body}${bell}`;
    case 'osc99':
      return `${esc}]99;;${line}${esc}\\`;
  }
}

/** In tmux the outer terminal is unknown; then OSC 9, which most terminals know. Other unknown terminals get the bell alone. */
function sequenceFor({
  term,
  program,
  isInTmux,
}: TerminalFacts): Exclude<TerminalNoticeKind, 'auto'> {
  if (/kitty/.test(term)) return 'osc99';
  if (/foot|rxvt|ghostty/.test(term) || /^(?:ghostty|WezTerm)$/i.test(program)) return 'osc777';
  if (isInTmux || /^iTerm/.test(program)) return 'osc9';
  return 'bell';
}

/** tmux takes what it passes through out of this sequence; it drops it unless `allow-passthrough` is on. */
function throughTmux(sequence: string): string {
  return `${esc}Ptmux;${sequence.replaceAll(esc, esc + esc)}${esc}\\`;
}
