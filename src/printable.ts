// Escaping of untrusted text (from containers, file names and daemons), which must not control the user's terminal.

/** SGR codes that coi itself uses (cli/ui/style.ts), on and off. All others are escaped. */
export const styleCodes = [1, 2, 22, 31, 32, 33, 36, 39] as const;

/** Other codes could hide text, or print it in the background colour. */
const colour = new RegExp(`\\u001b\\[(?:${styleCodes.join('|')})m`, 'g');

/** Escapes all control characters except newline, tab and coi's own colours. */
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

/** Escapes untrusted text to one line: colours, newlines and tabs, too. */
export function oneLine(text: string): string {
  return escaped(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

function escaped(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
