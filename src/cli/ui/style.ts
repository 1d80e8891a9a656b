// Colours, if the stream is a terminal and the user wants them.
import type { styleCodes } from '../../printable.ts';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

type StyleCode = (typeof styleCodes)[number];

const sgr = (open: StyleCode, close: StyleCode) => (text: string) =>
  `\u001b[${open}m${text}\u001b[${close}m`;
const same = (text: string) => text;

export const plain: Style = {
  bold: same,
  dim: same,
  red: same,
  green: same,
  yellow: same,
  cyan: same,
};

const coloured: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};

/**
 * NO_COLOR (any value) wins, then FORCE_COLOR (0 or false: no colours), then NODE_DISABLE_COLORS, then whether the stream
 * is a terminal. An empty variable counts as unset.
 */
export function styleFor(
  stream: { isTTY?: boolean },
  env: Record<string, string | undefined>,
): Style {
  if (env['NO_COLOR']) return plain;
  const force = env['FORCE_COLOR'];
  if (force) return force === '0' || force === 'false' ? plain : coloured;
  if (env['NODE_DISABLE_COLORS']) return plain;
  return stream.isTTY && env['TERM'] !== 'dumb' ? coloured : plain;
}
