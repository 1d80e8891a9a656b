// Names of hosts: one form for each, and nothing that two programs could read in two ways. Pure.
import { domainToASCII } from 'node:url';

const nameBytesMax = 253;
/** Underscores occur in real names (`_acme-challenge`), so questions may have them. */
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * The name in lower case, international letters as `xn--`, without the root's dot; undefined if it is none: empty labels,
 * white space, NUL, `@`, brackets, ports, and all-numeric last labels (which resolvers take for addresses) are refused.
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

/** True if `name` lies below `parent`; a name is not below itself. Both in the form that parseHostname gives. */
export function isBelow(name: string, parent: string): boolean {
  return name.length > parent.length + 1 && name.endsWith(`.${parent}`);
}

function isPlain(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

function ascii(text: string): string {
  // domainToASCII reads its argument as part of a URL: what would end a host there must not get that far.
  return /[\s\u0000-\u0020\u007f-\u009f/\\?#@:[\]%<>^|`{}"]/.test(text)
    ? ''
    : domainToASCII(text).toLowerCase();
}
