// Counters of a network interface, and the connected networks of a namespace, from /sys and /proc.
import { readText } from './proc-file.ts';

export interface InterfaceBytes {
  readonly received: number;
  readonly sent: number;
}

/** Bytes since the interface was created, as the host sees it; undefined if it does not exist. */
export function interfaceBytes(name: string): InterfaceBytes | undefined {
  // The name comes from Incus, but becomes part of a path.
  if (!/^[\w.-]{1,15}$/.test(name) || name.startsWith('.')) return undefined;
  const counter = (file: string) => readText(`/sys/class/net/${name}/statistics/${file}`);
  const [received, sent] = [counter('rx_bytes'), counter('tx_bytes')];
  if (received === undefined || sent === undefined) return undefined;
  return { received: Number(received), sent: Number(sent) };
}

export interface ConnectedNetwork {
  readonly device: string;
  readonly address: string;
  readonly bits: number;
}

/** Enough for some hundreds of routes. */
const routesBytesMax = 64 * 1024;

/** Directly connected networks in the namespace of a process. */
export function connectedNetworks(pid: number): ConnectedNetwork[] {
  return parseRoutes(readText(`/proc/${pid}/net/route`, { maxBytes: routesBytesMax }) ?? '');
}

/** Parses /proc/net/route: addresses are hexadecimal in the machine's byte order (little-endian). */
export function parseRoutes(text: string): ConnectedNetwork[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device = '', destination = '', gateway, , , , , mask = ''] = line.trim().split(/\s+/);
      if (gateway !== '00000000' || destination === '00000000') return [];
      return [{ device, address: dotted(destination), bits: bitsOf(mask) }];
    });
}

function dotted(hex: string): string {
  return Buffer.from(hex, 'hex').reverse().join('.');
}

function bitsOf(hex: string): number {
  return Number.parseInt(hex, 16).toString(2).replaceAll('0', '').length;
}
