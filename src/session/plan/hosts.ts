// Entries of `coi hosts` in a container's /etc/hosts. Pure.
import { isIPv4 } from 'node:net';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export interface HostEntry {
  readonly ip: string;
  readonly names: readonly string[];
}

const mark = '# coi hosts';

/** Throws `usage` for an invalid IPv4 address or host name. */
export function hostEntry(ip: string, names: readonly string[]): HostEntry {
  if (!isIPv4(ip))
    throw new CoiError('usage', `${quoted(ip)} is not an IPv4 address`, {
      hint: 'Use for example: coi hosts add 10.0.0.5 db.internal',
    });
  const odd = names.find(
    (name) => !/^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name),
  );
  if (odd !== undefined) throw new CoiError('usage', `${quoted(odd)} is not a valid host name`);
  return { ip, names };
}

/** The entries of coi in that file. */
export function hostEntries(text: string): HostEntry[] {
  return text.split('\n').flatMap((line) => {
    if (!line.endsWith(mark)) return [];
    const [ip = '', ...names] = line.slice(0, -mark.length).trim().split(/\s+/);
    return [{ ip, names }];
  });
}

/** Adds the entry to the file and removes its names from coi's other entries. */
export function addHost(text: string, { ip, names }: HostEntry): string {
  return `${removeHosts(text, names).replace(/\n*$/, '\n')}${ip} ${names.join(' ')} ${mark}\n`;
}

/** Removes names or addresses from coi's entries. */
export function removeHosts(text: string, gone: readonly string[]): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const [entry] = hostEntries(line);
      if (!entry) return [line];
      const left = gone.includes(entry.ip)
        ? []
        : entry.names.filter((name) => !gone.includes(name));
      return left.length === 0 ? [] : [`${entry.ip} ${left.join(' ')} ${mark}`];
    })
    .join('\n');
}

/**
 * Makes `localhost` IPv4 only. A forwarded port ends at 127.0.0.1, but servers that listen on the first address of
 * `localhost` (vite, next, angular: all of Node) would listen on ::1 and receive nothing.
 */
export function withLocalhostOnIPv4(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const [, content = '', comment = ''] = /^([^#]*)(#.*)?$/.exec(line) ?? [];
      const [address, ...names] = content.trim().split(/\s+/);
      if (address !== '::1' || !names.includes('localhost')) return [line];
      const left = names.filter((name) => name !== 'localhost');
      return left.length === 0 ? [] : [`${address} ${left.join(' ')}${comment && ` ${comment}`}`];
    })
    .join('\n');
}
