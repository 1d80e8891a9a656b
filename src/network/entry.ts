// Parses an entry of `allowed_domains`: a name, all names below it, an address or a network, with optional ports. Pure.
import { type AddressRange, mergeRanges, networkText, parseNetwork } from '../addresses/ipv4.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { isBelow, parseHostname } from './hostname.ts';

/** Both ends are included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Without ports, all are allowed. */
export type AllowEntry = (
  | { readonly kind: 'name' | 'below'; readonly name: string; readonly ports: readonly PortRange[] }
  | {
      readonly kind: 'network';
      readonly range: AddressRange;
      readonly ports: readonly PortRange[];
    }
) & {
  /** Opened temporarily with `coi network allow`. */
  readonly temporary?: true;
};

const portsMax = 32;

/**
 * Parses `host`, `*.host`, `1.2.3.4` or `1.2.3.0/24`, optionally followed by `:443`, `:80,443` or `:8000-8010`.
 * `*.host` means names below `host`, not `host` itself. Throws `config-invalid`.
 */
export function parseEntry(text: string): AllowEntry {
  const colon = text.indexOf(':');
  const head = colon < 0 ? text : text.slice(0, colon);
  const ports = colon < 0 ? [] : parsePorts(text.slice(colon + 1));
  if (!ports) throw invalid(text, 'the ports are not numbers from 1 to 65535');
  const range = parseNetwork(head);
  if (range) return { kind: 'network', range, ports };
  const below = head.startsWith('*.');
  const name = parseHostname(below ? head.slice(2) : head);
  // A wildcard for a top-level domain is nearly the whole internet; restricted mode is for that.
  if (name === undefined || !/^[\x21-\x7e]*$/.test(name) || (below && !name.includes('.')))
    throw invalid(text, 'it is not a host, *.host, IPv4 address or network');
  return { kind: below ? 'below' : 'name', name, ports };
}

/** The entry in canonical form. */
export function entryText(entry: AllowEntry): string {
  return hostText(entry) + portsText(entry.ports);
}

/** True if the entry matches that name (in the form of parseHostname). */
export function matchesName(entry: AllowEntry, name: string): boolean {
  switch (entry.kind) {
    case 'name':
      return entry.name === name;
    case 'below':
      return isBelow(name, entry.name);
    case 'network':
      return false;
  }
}

export function hasPort(ports: readonly PortRange[], port: number): boolean {
  return ports.length === 0 || ports.some(({ from, to }) => from <= port && port <= to);
}

/** `:80,443`, or an empty string for all ports. */
export function portsText(ports: readonly PortRange[]): string {
  return ports.length === 0
    ? ''
    : `:${ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')}`;
}

/** Sorted and without overlaps; undefined if the text is not a list of ports. */
export function parsePorts(text: string): PortRange[] | undefined {
  const parts = text.split(',');
  if (parts.length > portsMax) return undefined;
  const ranges: PortRange[] = [];
  for (const part of parts) {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    const range = { from: Number(from), to: Number(to) };
    if (from === '' || range.from < 1 || range.to > 65_535 || range.from > range.to)
      return undefined;
    ranges.push(range);
  }
  return mergeRanges(ranges);
}

function hostText(entry: AllowEntry): string {
  switch (entry.kind) {
    case 'name':
      return entry.name;
    case 'below':
      return `*.${entry.name}`;
    case 'network':
      return networkText(entry.range);
  }
}

function invalid(text: string, reason: string): CoiError {
  return new CoiError('config-invalid', `invalid network entry ${quoted(text)}: ${reason}`, {
    hint: 'Write for example "api.example.org", "*.example.org:443", "192.0.2.7" or "192.0.2.0/24:80,443".',
  });
}
