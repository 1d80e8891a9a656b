// The index of git without some of its submodules. Pure.
import { createHash } from 'node:crypto';
import {
  type Entry,
  entriesOf,
  extensionsOf,
  type HashBytes,
  headerOf,
  readIndex,
} from './git-index.ts';

const headerBytes = 12;
/** Neither depends on where entries stand, or on which there are. Git makes the others anew. */
const keptExtensions = ['sdir', 'REUC'];

/** `raw`: names, as `readIndex` gives them. Undefined where it cannot be read, or is split over two files. */
export function withoutGitlinks(
  bytes: Buffer,
  raw: ReadonlySet<string>,
  hashBytes: HashBytes,
): Buffer | undefined {
  const index = readIndex(bytes, hashBytes);
  if (!index || index.shared !== undefined) return undefined;
  const { version, count } = headerOf(bytes);
  const all = [...entriesOf(bytes, version, count, hashBytes)];
  const gone = (entry: Entry) =>
    (entry.mode & 0o170000) === 0o160000 && raw.has(entry.name.toString('latin1'));
  const kept = all.filter((entry) => !gone(entry));
  const header = Buffer.from(bytes.subarray(0, headerBytes));
  header.writeUInt32BE(kept.length, 8);
  const names = [Buffer.alloc(0), ...kept.map(({ name }) => name)];
  const entries = kept.map((entry, at) =>
    version === 4
      ? prefixed(bytes, entry, names[at] as Buffer, hashBytes)
      : bytes.subarray(entry.start, entry.end),
  );
  const extensions = [...extensionsOf(bytes, all.at(-1)?.end ?? headerBytes, hashBytes)]
    .filter(([name]) => keptExtensions.includes(name))
    .flatMap(([name, data]) => [Buffer.from(name, 'latin1'), sizeOf(data), data]);
  const body = Buffer.concat([header, ...entries, ...extensions]);
  const algorithm = hashBytes === 20 ? 'sha1' : 'sha256';
  return Buffer.concat([body, createHash(algorithm).update(body).digest()]);
}

/** An entry of version 4, whose name begins as the one before. */
function prefixed(
  bytes: Buffer,
  { start, name }: Entry,
  before: Buffer,
  hashBytes: HashBytes,
): Buffer {
  const flagsAt = start + 40 + hashBytes;
  const isExtended = (bytes.readUInt16BE(flagsAt) & 0x4000) !== 0;
  const fixed = bytes.subarray(start, flagsAt + (isExtended ? 4 : 2));
  let same = 0;
  while (same < before.length && same < name.length && before[same] === name[same]) same += 1;
  const strip = varint(before.length - same);
  return Buffer.concat([fixed, strip, name.subarray(same), Buffer.alloc(1)]);
}

/** As git's `encode_varint`. */
function varint(value: number): Buffer {
  const digits = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) {
    rest -= 1;
    digits.unshift(128 | (rest & 127));
  }
  return Buffer.from(digits);
}

function sizeOf(data: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  return size;
}
