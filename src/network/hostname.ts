// Parses host names into a canonical form and rejects anything that programs could interpret differently. Pure.
import { domainToASCII } from 'node:url';

const nameBytesMax = 253;
/** Underscores occur in real names (`_acme-challenge`), so they are allowed. */
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * The name in lower case, with international labels as `xn--` and without the trailing dot. Undefined for empty labels,
 * white space, NUL, `@`, brackets, ports, and numeric last labels (which resolvers take for addresses).
 */
export function parseHostname(text: string): string | undefined {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  const name = isPlain(bare) ? bare.toLowerCase() : ascii(bare);
  if (name === '' || name.length > nameBytesMax) return undefined;
  const labels = name.split('.');
  return labels.every((part) => label.test(part)) &&
    !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')
    ? name
    : undefined;
}

/** True if `name` is a subdomain of `parent`. Both in the form of parseHostname. */
export function isBelow(name: string, parent: string): boolean {
  return name.length > parent.length + 1 && name.endsWith(`.${parent}`);
}

function isPlain(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

function ascii(text: string): string {
  // domainToASCII parses its argument as part of a URL, so characters that end a host there are rejected first.
  return /[\s\u0000-\u0020\u007f-\u009f/\\?#@:[\]%<>^|`{}"]/.test(text)
    ? ''
    : domainToASCII(text).toLowerCase();
}
