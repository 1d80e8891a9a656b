// Whether one limit is no looser than another of the same key. Pure.
import type { Limit } from './key.ts';

/** Only amounts of the same kind can be compared, not for example a share of CPU time and a quota. */
interface Amount {
  readonly kind: string;
  readonly amount: number;
}

/**
 * Whether `value` is no looser than `trusted`. `memoryBytes` is the host's memory, the base of percentages.
 */
export function isWithin(
  { limit, unset }: Limit,
  value: unknown,
  trusted: unknown,
  memoryBytes: number,
): boolean {
  const given = trusted === '' || trusted === 0 ? undefined : trusted;
  const ceiling = given ?? unset;
  if (ceiling === undefined) return true;
  if (limit === 'cpus') return isWithinCpus(String(value), String(ceiling));
  const [own, most] = [value, ceiling].map((one) => amountOf(limit, one, memoryBytes));
  return own !== undefined && most !== undefined && own.kind === most.kind
    ? own.amount <= most.amount
    : false;
}

function amountOf(
  limit: Exclude<Limit['limit'], 'cpus'>,
  value: unknown,
  memoryBytes: number,
): Amount | undefined {
  const text = String(value);
  switch (limit) {
    case 'number':
      return { kind: 'number', amount: positive(Number(value)) };
    case 'size':
      return { kind: 'bytes', amount: positive(bytes(text, memoryBytes)) };
    case 'swap':
      // Unlike other limits, `false` is the strictest value: no swap.
      if (text === 'false') return { kind: 'bytes', amount: 0 };
      return {
        kind: 'bytes',
        amount: text === 'true' ? Number.POSITIVE_INFINITY : positive(bytes(text, memoryBytes)),
      };
    case 'rate': {
      const perSecond = text.replace(/\/s$/, '');
      return perSecond.endsWith('iops')
        ? { kind: 'iops', amount: positive(Number(perSecond.slice(0, -'iops'.length))) }
        : { kind: 'bytes', amount: positive(bytes(perSecond, memoryBytes)) };
    }
    case 'cpu-time': {
      const [, share] = /^(\d+)%$/.exec(text) ?? [];
      if (share !== undefined) return { kind: 'share', amount: positive(Number(share)) };
      const [, time, period] = /^(\d+)ms\/(\d+)ms$/.exec(text) ?? [];
      return { kind: 'quota', amount: positive(Number(time) / Number(period)) };
    }
  }
}

/** 0 and unparsable values mean unlimited. */
function positive(amount: number): number {
  return amount > 0 ? amount : Number.POSITIVE_INFINITY;
}

function bytes(text: string, memoryBytes: number): number {
  const [, digits, unit = ''] = /^(\d+)(%|[KMGT]i?B)?$/.exec(text) ?? [];
  const amount = Number(digits);
  if (unit === '%') return (amount * memoryBytes) / 100;
  const power = ' KMGT'.indexOf(unit[0] ?? ' ');
  return amount * (unit.includes('i') ? 1024 : 1000) ** power;
}

/** A CPU count, or a set of CPUs; a set may only shrink. */
function isWithinCpus(value: string, trusted: string): boolean {
  const [own, most] = [cpus(value), cpus(trusted)];
  if (own === undefined || own.count === 0 || most === undefined) return false;
  if (most.which === undefined) return most.count === 0 || own.count <= most.count;
  const among = new Set(most.which);
  return own.which?.every((cpu) => among.has(cpu)) ?? false;
}

const cpusMax = 8192;

/** As Incus reads it: a single number is a count, anything else is a set. Undefined if invalid. */
function cpus(
  text: string,
): { readonly count: number; readonly which?: readonly number[] } | undefined {
  if (/^\d+$/.test(text)) return { count: Number(text) };
  const which = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || to >= cpusMax) return undefined;
    for (let cpu = from; cpu <= to; cpu++) which.add(cpu);
  }
  return { count: which.size, which: [...which] };
}
