// IPv4 addresses as numbers, and ranges of them.

/** Both ends belong to it. */
export interface AddressRange {
  readonly from: number;
  readonly to: number;
}

/** undefined for anything but four decimal bytes. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  )
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** `from` without what lies in any of `holes`. */
export function withoutRanges(range: AddressRange, holes: readonly AddressRange[]): AddressRange[] {
  return holes.reduce<AddressRange[]>(
    (ranges, hole) => ranges.flatMap((piece) => cut(piece, hole)),
    [range],
  );
}

export function rangeSize(ranges: readonly AddressRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** The address at an index, counted through all ranges. */
export function addressAt(ranges: readonly AddressRange[], index: number): number | undefined {
  let left = index;
  for (const { from, to } of ranges) {
    const size = to - from + 1;
    if (left < size) return from + left;
    left -= size;
  }
  return undefined;
}

function cut(piece: AddressRange, hole: AddressRange): AddressRange[] {
  if (hole.to < piece.from || hole.from > piece.to) return [piece];
  return [
    { from: piece.from, to: hole.from - 1 },
    { from: hole.to + 1, to: piece.to },
  ].filter(({ from, to }) => from <= to);
}
