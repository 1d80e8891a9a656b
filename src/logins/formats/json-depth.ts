// Nesting depth of JSON text: JSON.parse accepts any depth, but JSON.stringify and other code that walks the value
// overflows the stack. Pure.

/** Far more than any program's settings or logins need. */
const depthMax = 200;

const [quote, backslash] = [0x22, 0x5c];
const opening = new Set([0x7b, 0x5b]);
const closing = new Set([0x7d, 0x5d]);

/** Whether objects and arrays are nested too deeply to be read. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (closing.has(code)) depth -= 1;
    else if (opening.has(code)) {
      depth += 1;
      if (depth > depthMax) return true;
    }
  }
  return false;
}
