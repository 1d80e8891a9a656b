// IPv4 addresses and networks as numbers, and ranges of them. Pure.

/** Both ends are included. */
export interface AddressRange {
  readonly from: number;
  readonly to: number;
}

/** Undefined for anything but four decimal bytes: octal, hexadecimal and shortened forms are rejected. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  const isByte = (part: string) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  if (parts.length !== 4 || !parts.every(isByte)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** A network as `a.b.c.d/length`, or a single address; bits below the length are cleared. Undefined for anything else. */
export function parseNetwork(text: string): AddressRange | undefined {
  const [head = '', length, ...rest] = text.split('/');
  const address = parseAddress(head);
  if (address === undefined || rest.length > 0) return undefined;
  if (length === undefined) return { from: address, to: address };
  if (!/^(?:[12]?\d|3[0-2])$/.test(length)) return undefined;
  const size = 2 ** (32 - Number(length));
  const from = address - (address % size);
  return { from, to: from + size - 1 };
}

/** `a.b.c.d` or `a.b.c.d/length`; the range must be a network. */
export function networkText({ from, to }: AddressRange): string {
  const length = 32 - Math.log2(to - from + 1);
  return length === 32 ? addressText(from) : `${addressText(from)}/${length}`;
}

export function contains({ from, to }: AddressRange, address: number): boolean {
  return from <= address && address <= to;
}

/** The same numbers (addresses or ports) as sorted ranges that neither touch nor overlap. */
export function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const out: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && range.from <= last.to + 1)
      out[out.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else out.push(range);
  }
  return out;
}

/** The addresses of `range` that lie in none of the `holes`. */
export function subtractRanges(
  range: AddressRange,
  holes: readonly AddressRange[],
): AddressRange[] {
  return holes.reduce<AddressRange[]>(
    (ranges, hole) => ranges.flatMap((piece) => subtract(piece, hole)),
    [range],
  );
}

export function rangeSize(ranges: readonly AddressRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** The address at an index, counted across all ranges. */
export function addressAt(ranges: readonly AddressRange[], index: number): number | undefined {
  let left = index;
  for (const { from, to } of ranges) {
    const size = to - from + 1;
    if (left < size) return from + left;
    left -= size;
  }
  return undefined;
}

function subtract(piece: AddressRange, hole: AddressRange): AddressRange[] {
  if (hole.to < piece.from || hole.from > piece.to) return [piece];
  return [
    { from: piece.from, to: hole.from - 1 },
    { from: hole.to + 1, to: piece.to },
  ].filter(({ from, to }) => from <= to);
}
