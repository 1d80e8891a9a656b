// Which submodules git's index names, and the index without some of them. Pure. An agent writes the index, so whatever git
// would read differently counts as unreadable. Format: `git help format-index`; readers: read-cache.c.

/** One entry of mode 160000. */
export interface Gitlink {
  /** The bytes of its name, each as one character. */
  readonly raw: string;
  /** Its name; U+FFFD stands for what is no UTF-8. */
  readonly path: string;
}

export interface GitIndex {
  readonly gitlinks: readonly Gitlink[];
  /** Name of a further file beside the index with entries that count as well (a split index). */
  readonly shared: string | undefined;
  /** It names whole directories (a sparse index), of which it is not known what is in them. */
  readonly isSparse: boolean;
}

/** Bytes of an object id: of SHA-1 and of SHA-256. */
export type HashBytes = 20 | 32;

export interface Entry {
  readonly start: number;
  readonly end: number;
  readonly mode: number;
  readonly name: Buffer;
  /** Version 4: how many bytes of the name before do not count. */
  readonly strip: number;
}

const headerBytes = 12;
const fileType = 0o170000;
const gitlinkType = 0o160000;
const treeType = 0o040000;
/** In the flags of an entry. */
const extendedFlag = 0x4000;
const lengthMask = 0xfff;

/** Undefined where git would not read it, or might read something else in it. */
export function readIndex(bytes: Buffer, hashBytes: HashBytes): GitIndex | undefined {
  try {
    return parsed(bytes, hashBytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Throws RangeError where it ends too early or is no index. */
function parsed(bytes: Buffer, hashBytes: HashBytes): GitIndex {
  const { version, count } = headerOf(bytes);
  const gitlinks: Gitlink[] = [];
  const starts: number[] = [];
  const strips: boolean[] = [];
  let isSparse = false;
  let end = headerBytes;
  let previous = 0;
  for (const entry of entriesOf(bytes, version, count, hashBytes)) {
    starts.push(entry.start);
    strips.push(entry.strip === previous);
    previous = entry.name.length;
    end = entry.end;
    if ((entry.mode & fileType) === gitlinkType) gitlinks.push(gitlinkOf(entry.name));
    isSparse ||= (entry.mode & fileType) === treeType;
  }
  const extensions = extensionsOf(bytes, end, hashBytes);
  checkBlocks(bytes, { hashBytes, end, starts, strips, version, extensions });
  const link = extensions.get('link');
  const base = link?.subarray(0, hashBytes).toString('hex') ?? '';
  const isSplit = link !== undefined && link.length >= hashBytes && !/^0*$/.test(base);
  return { gitlinks, shared: isSplit ? `sharedindex.${base}` : undefined, isSparse };
}

export function headerOf(bytes: Buffer): { version: number; count: number } {
  const version = bytes.readUInt32BE(4);
  if (bytes.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4)
    throw new RangeError('no index');
  return { version, count: bytes.readUInt32BE(8) };
}

/** Git takes the length of a name from the flags, and what a name is only up to its first NUL. */
export function* entriesOf(
  bytes: Buffer,
  version: number,
  count: number,
  hashBytes: HashBytes,
): Generator<Entry> {
  let at = headerBytes;
  let before: Buffer = Buffer.alloc(0);
  for (let index = 0; index < count; index += 1) {
    const start = at;
    const mode = bytes.readUInt32BE(start + 24);
    const flags = bytes.readUInt16BE(start + 40 + hashBytes);
    const isExtended = (flags & extendedFlag) !== 0;
    if (isExtended && version < 3) throw new RangeError('extended flags in version 2');
    at = start + 40 + hashBytes + (isExtended ? 4 : 2);
    let strip = before.length;
    if (version === 4) [strip, at] = varint(bytes, at);
    const kept = before.length - strip;
    if (kept < 0) throw new RangeError('no such prefix');
    const marked = flags & lengthMask;
    const own = marked === lengthMask ? lengthTo0(bytes, at) : marked - kept;
    if (own < 0 || at + own >= bytes.length) throw new RangeError('no such name');
    const ownName = bytes.subarray(at, at + own);
    const name = kept === 0 ? ownName : Buffer.concat([before.subarray(0, kept), ownName]);
    at += own + 1;
    if (version !== 4) at = start + ((at - 1 - start + 8) & ~7);
    yield { start, end: at, mode, name, strip };
    before = name;
  }
}

/** As git's `decode_varint`. */
function varint(bytes: Buffer, start: number): [number, number] {
  let at = start;
  let byte = bytes.readUInt8(at);
  let value = byte & 127;
  while (byte & 128) {
    at += 1;
    byte = bytes.readUInt8(at);
    value = (value + 1) * 128 + (byte & 127);
    if (value > 0xffffff) throw new RangeError('no such prefix');
  }
  return [value, at + 1];
}

function lengthTo0(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0, at);
  if (end < 0) throw new RangeError('a name without an end');
  return end - at;
}

function gitlinkOf(name: Buffer): Gitlink {
  const end = name.indexOf(0);
  const path = (end < 0 ? name : name.subarray(0, end)).toString('utf8');
  return { raw: name.toString('latin1'), path };
}

/** Each of another name; git refuses an unknown one that begins with a small letter. */
export function extensionsOf(
  bytes: Buffer,
  start: number,
  hashBytes: HashBytes,
): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const end = bytes.length - hashBytes;
  let at = start;
  while (at + 8 <= end) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32BE(at + 4);
    if (at + 8 + size > end || found.has(name)) throw new RangeError('no such extension');
    if (!/^[A-Z]/.test(name) && name !== 'link' && name !== 'sdir')
      throw new RangeError('an extension that git does not know');
    found.set(name, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return found;
}

interface Blocks {
  readonly hashBytes: HashBytes;
  /** Of the entries. */
  readonly end: number;
  readonly starts: readonly number[];
  /** Whether an entry takes nothing of the name before. */
  readonly strips: readonly boolean[];
  readonly version: number;
  readonly extensions: ReadonlyMap<string, Buffer>;
}

/** Git reads a large index in blocks, from places that two extensions name: they have to be the places of entries. */
function checkBlocks(bytes: Buffer, blocks: Blocks): void {
  const { hashBytes, end, starts, strips, version, extensions } = blocks;
  const at = bytes.length - hashBytes - (8 + 4 + hashBytes);
  const isEnded = at >= headerBytes && bytes.toString('latin1', at, at + 4) === 'EOIE';
  if (isEnded && bytes.readUInt32BE(at + 8) !== end) throw new RangeError('another end');
  if (!isEnded && extensions.has('EOIE')) throw new RangeError('an end that is not last');
  const table = extensions.get('IEOT');
  if (!table) return;
  let entry = 0;
  for (let place = 4; place + 8 <= table.length; place += 8) {
    const isStart = starts[entry] === table.readUInt32BE(place);
    const isFresh = version !== 4 || strips[entry] === true;
    if (!isStart || !isFresh) throw new RangeError('a block that begins elsewhere');
    entry += table.readUInt32BE(place + 4);
  }
  if (entry !== starts.length) throw new RangeError('blocks without some entries');
}
