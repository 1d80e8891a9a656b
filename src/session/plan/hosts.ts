// Names that `coi hosts` puts into a container's /etc/hosts. Pure.
import { isIPv4 } from 'node:net';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export interface HostEntry {
  readonly ip: string;
  readonly names: readonly string[];
}

const mark = '# coi hosts';

/** Throws `usage` unless it is an IPv4 address and plain names. */
export function hostEntry(ip: string, names: readonly string[]): HostEntry {
  if (!isIPv4(ip))
    throw new CoiError('usage', `${quoted(ip)} is no IPv4 address`, {
      hint: 'For example: coi hosts add 10.0.0.5 db.internal',
    });
  const odd = names.find(
    (name) => !/^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name),
  );
  if (odd !== undefined) throw new CoiError('usage', `${quoted(odd)} is no name of a host`);
  return { ip, names };
}

/** The entries that coi has written into that file. */
export function hostEntries(text: string): HostEntry[] {
  return text.split('\n').flatMap((line) => {
    if (!line.endsWith(mark)) return [];
    const [ip = '', ...names] = line.slice(0, -mark.length).trim().split(/\s+/);
    return [{ ip, names }];
  });
}

/** The file with the entry; its names point nowhere else among coi's entries any more. */
export function withHost(text: string, { ip, names }: HostEntry): string {
  return `${withoutHosts(text, names).replace(/\n*$/, '\n')}${ip} ${names.join(' ')} ${mark}\n`;
}

/** The file without those names, or addresses, among coi's entries. */
export function withoutHosts(text: string, gone: readonly string[]): string {
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
 * The file with `localhost` on IPv4 only. A forwarded port ends at 127.0.0.1, and what listens on the first address of
 * `localhost` (vite, next, angular: all of Node) would listen on ::1, where nothing comes in.
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
