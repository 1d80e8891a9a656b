// Server process of an in-memory FUSE file system (include/uapi/linux/fuse.h). A process because each read of a request
// blocks in the kernel. Arguments: mount point, type, uid and gid of its root, uid of the mounter, path of the suspend file,
// more options.
import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readSync, writeSync } from 'node:fs';
import { directoryBit, FuseError, isDirectory, type Node, Tree } from './fuse-tree.ts';

const [mountPoint = '', type = '', uid, gid, mounter, suspendFile = '', ...options] =
  process.argv.slice(2);
const headerBytes = 40;
const writeMax = 65_536;
const [noSuchCall, endOfServer] = [38, 'ENODEV'];

const device = openSync('/dev/fuse', 'r+');
const own = [`fd=3,rootmode=40000,user_id=${mounter},group_id=${gid}`, ...options].join(',');
const mounted = spawnSync('mount', ['-i', '-t', type, '-o', own, 'coi-test', mountPoint], {
  stdio: ['ignore', 'inherit', 'inherit', device],
});
if (mounted.status !== 0) process.exit(1);
process.stdout.write('ready\n');

const tree = new Tree({ uid: Number(uid), gid: Number(gid) });
const request = Buffer.alloc(writeMax + 8192);
for (;;) {
  // Between two requests: a process whose request was accepted but not answered could not be killed.
  if (existsSync(suspendFile)) process.kill(process.pid, 'SIGSTOP');
  const length = readRequest();
  if (length === undefined) break;
  const unique = request.readBigUInt64LE(8);
  let answer: Buffer | undefined;
  let error = 0;
  try {
    answer = answerTo(request.readUInt32LE(4), request.subarray(headerBytes, length));
  } catch (refused) {
    if (!(refused instanceof FuseError)) throw refused;
    error = refused.errno;
    answer = Buffer.alloc(0);
  }
  if (answer === undefined) continue;
  const head = Buffer.alloc(16);
  head.writeUInt32LE(head.length + answer.length, 0);
  head.writeInt32LE(-error, 4);
  head.writeBigUInt64LE(unique, 8);
  try {
    writeSync(device, Buffer.concat([head, answer]));
  } catch (gone) {
    // The caller was interrupted.
    if ((gone as NodeJS.ErrnoException).code !== 'ENOENT') throw gone;
  }
}

/** Undefined once it is unmounted. */
function readRequest(): number | undefined {
  for (;;) {
    try {
      return readSync(device, request);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === endOfServer) return undefined;
      // The request was withdrawn before it was read.
      if (code !== 'ENOENT' && code !== 'EINTR' && code !== 'EAGAIN') throw error;
    }
  }
}

/** Undefined if the kernel expects no answer. */
function answerTo(call: number, body: Buffer): Buffer | undefined {
  const id = request.readBigUInt64LE(16);
  const by = { uid: request.readUInt32LE(24), gid: request.readUInt32LE(28) };
  switch (call) {
    case 1: // LOOKUP
      return entry(tree.child(id, text(body)));
    case 2: // FORGET
    case 36: // INTERRUPT
    case 42: // BATCH_FORGET
      return undefined;
    case 3: // GETATTR
      return attributes(tree.node(id));
    case 4: // SETATTR
      return setAttributes(tree.node(id), body);
    case 5: // READLINK
      return tree.node(id).data;
    case 6: {
      // SYMLINK
      const [name = '', target = ''] = body.toString().split('\0');
      const link = tree.add(id, name, 0o120777, by);
      link.data = Buffer.from(target);
      return entry(link);
    }
    case 8: // MKNOD
      return entry(tree.add(id, text(body.subarray(16)), body.readUInt32LE(0), by));
    case 9: // MKDIR
      return entry(tree.add(id, text(body.subarray(8)), directoryBit | body.readUInt32LE(0), by));
    case 10: // UNLINK
    case 11: // RMDIR
      tree.remove(id, text(body));
      return Buffer.alloc(0);
    case 12: // RENAME
      return renameNode(id, body.readBigUInt64LE(0), body.subarray(8));
    case 45: // RENAME2
      return renameNode(id, body.readBigUInt64LE(0), body.subarray(16));
    case 13: // LINK
      return entry(tree.link(body.readBigUInt64LE(0), id, text(body.subarray(8))));
    case 14: // OPEN
    case 27: // OPENDIR
      return Buffer.alloc(16);
    case 15: {
      // READ
      const from = Number(body.readBigUInt64LE(8));
      return tree.node(id).data.subarray(from, from + body.readUInt32LE(16));
    }
    case 16:
      return writeNode(tree.node(id), body);
    case 17: // STATFS
      return Buffer.alloc(80);
    case 18: // RELEASE
    case 20: // FSYNC
    case 25: // FLUSH
    case 29: // RELEASEDIR
    case 30: // FSYNCDIR
    case 34: // ACCESS
    case 38: // DESTROY
      return Buffer.alloc(0);
    case 26:
      return initReply();
    case 28: // READDIR
      return listing(tree.node(id), Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
    case 35: {
      // CREATE
      const made = tree.add(id, text(body.subarray(16)), body.readUInt32LE(4), by);
      return Buffer.concat([entry(made), Buffer.alloc(16)]);
    }
    default:
      throw new FuseError(noSuchCall);
  }
}

function initReply(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(7, 0);
  answer.writeUInt32LE(31, 4);
  answer.writeUInt32LE(writeMax, 8);
  answer.writeUInt32LE(writeMax, 20);
  answer.writeUInt32LE(1, 24);
  return answer;
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.indexOf(0));
}

function renameNode(from: bigint, to: bigint, names: Buffer): Buffer {
  const [name = '', as = ''] = names.toString().split('\0');
  tree.rename(from, name, to, as);
  return Buffer.alloc(0);
}

function writeNode(node: Node, body: Buffer): Buffer {
  const [from, length] = [Number(body.readBigUInt64LE(8)), body.readUInt32LE(16)];
  const grown = Buffer.alloc(Math.max(node.data.length, from + length));
  node.data.copy(grown);
  body.copy(grown, from, headerBytes, headerBytes + length);
  node.data = grown;
  const answer = Buffer.alloc(8);
  answer.writeUInt32LE(length, 0);
  return answer;
}

function setAttributes(node: Node, body: Buffer): Buffer {
  const which = body.readUInt32LE(0);
  if (which & 1) node.mode = (node.mode & 0o170000) | (body.readUInt32LE(68) & 0o7777);
  if (which & 2) node.uid = body.readUInt32LE(76);
  if (which & 4) node.gid = body.readUInt32LE(80);
  if (which & 8) {
    const size = Number(body.readBigUInt64LE(16));
    node.data = Buffer.concat(
      [node.data, Buffer.alloc(Math.max(0, size - node.data.length))],
      size,
    );
  }
  return attributes(node);
}

/** struct fuse_attr, with a cache lifetime of zero. */
function attributesOf(node: Node): Buffer {
  const answer = Buffer.alloc(88);
  answer.writeBigUInt64LE(node.id, 0);
  answer.writeBigUInt64LE(BigInt(node.data.length), 8);
  answer.writeUInt32LE(node.mode, 60);
  answer.writeUInt32LE(1, 64);
  answer.writeUInt32LE(node.uid, 68);
  answer.writeUInt32LE(node.gid, 72);
  return answer;
}

function attributes(node: Node): Buffer {
  return Buffer.concat([Buffer.alloc(16), attributesOf(node)]);
}

function entry(node: Node): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(node.id, 0);
  return Buffer.concat([head, attributesOf(node)]);
}

function listing({ id, children }: Node, from: number, bytesMax: number): Buffer {
  const lines: Buffer[] = [];
  let bytes = 0;
  const all: [string, bigint, number][] = [
    ['.', id, 4],
    ['..', id, 4],
    ...[...children].map(([name, node]): [string, bigint, number] => [
      name,
      node.id,
      isDirectory(node) ? 4 : node.mode >> 12,
    ]),
  ];
  for (const [index, [name, node, kind]] of all.entries()) {
    if (index < from) continue;
    const length = Buffer.byteLength(name);
    const line = Buffer.alloc(24 + Math.ceil(length / 8) * 8);
    line.writeBigUInt64LE(node, 0);
    line.writeBigUInt64LE(BigInt(index + 1), 8);
    line.writeUInt32LE(length, 16);
    line.writeUInt32LE(kind, 20);
    line.write(name, 24);
    if (bytes + line.length > bytesMax) break;
    bytes += line.length;
    lines.push(line);
  }
  return Buffer.concat(lines);
}
