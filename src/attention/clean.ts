// Makes text from a container fit to show: well-formed, without control and bidi characters, and short. Pure.

/** Control characters except newline and tab, characters that reorder text, and those that cannot be seen but for joiners. */
const unsafe = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export interface CleanText {
  readonly text: string;
  readonly truncated: boolean;
}

/** At most `max` characters. */
export function cleanText(text: string, max: number): CleanText {
  // Cut first: the rest may be megabytes. A cut pair of surrogates becomes U+FFFD.
  const head = text.slice(0, max).toWellFormed().replace(/\r\n?/g, '\n').replace(unsafe, '');
  return { text: head, truncated: text.length > max };
}

/** One line of at most `max` characters; an ellipsis marks a cut. */
export function cleanLine(text: string, max: number): string {
  const { text: clean, truncated } = cleanText(text.slice(0, max * 4), max * 4);
  const line = clean.replace(/\s+/g, ' ').trim();
  if (line.length <= max && !truncated) return line;
  return `${line
    .slice(0, max - 1)
    .trimEnd()
    .toWellFormed()}…`;
}
