// Text from containers, file names and daemons must not steer the user's terminal.

/** Codes of coi's own colours (cli/ui/style.ts), to turn on and off: what coi does not write itself is no colour. */
export const styleCodes = [1, 2, 22, 31, 32, 33, 36, 39] as const;

/** Only those: others of the same form hide text, or draw it in the colour of the background. */
const colour = new RegExp(`\\u001b\\[(?:${styleCodes.join('|')})m`, 'g');

/** Text without control characters except newline, tab and coi's own colours; others are shown escaped. */
export function printable(text: string): string {
  if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text))
    return text;
  let result = '';
  let from = 0;
  for (const match of text.matchAll(colour)) {
    result += escaped(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return result + escaped(text.slice(from));
}

/** Text of unknown origin on one line: colour, newlines and tabs are escaped too. */
export function oneLine(text: string): string {
  return escaped(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

function escaped(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
