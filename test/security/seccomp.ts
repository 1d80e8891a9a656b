// A process's system call filters as held by the kernel, and their verdict on any call of any architecture,
// including those that this kernel lacks. Sources: ptrace(2), seccomp(2), <linux/filter.h>.
import koffi from 'koffi';

const c = koffi.load(null);
const ptrace = c.func('long ptrace(long request, int pid, uint64_t address, void *data)');
const waitpid = c.func('int waitpid(int pid, void *status, int options)');

const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_GET_FILTER = 0x420c;
const PTRACE_DETACH = 17;
const WALL = 0x4000_0000;
const instructionBytes = 8;

export const architectures = { x86_64: 0xc000003e, i386: 0x40000003 } as const;
/** Bit that marks x32 call numbers; the architecture is that of the 64-bit ones. */
export const x32 = 0x4000_0000;
/** The verdict that makes a call fail with that error. */
export const failsWith = (errno: number) => 0x0005_0000 | errno;

export interface Call {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly number[];
}

/** All filters of a process, which is stopped meanwhile. */
export function filtersOf(pid: number): Buffer[] {
  if (ptrace(PTRACE_SEIZE, pid, 0, null) !== 0) throw new Error(`no ptrace: ${koffi.errno()}`);
  try {
    ptrace(PTRACE_INTERRUPT, pid, 0, null);
    waitpid(pid, Buffer.alloc(4), WALL);
    const filters: Buffer[] = [];
    for (;;) {
      const count = Number(ptrace(PTRACE_GET_FILTER, pid, filters.length, null));
      if (count <= 0) return filters;
      const filter = Buffer.alloc(count * instructionBytes);
      ptrace(PTRACE_GET_FILTER, pid, filters.length, filter);
      filters.push(filter);
    }
  } finally {
    ptrace(PTRACE_DETACH, pid, 0, null);
  }
}

/** The strictest verdict of all filters. */
export function verdict(filters: readonly Buffer[], call: Call): number {
  return Math.min(...filters.map((filter) => run(filter, dataOf(call)) | 0));
}

/** struct seccomp_data */
function dataOf({ arch, number, args = [] }: Call): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((value, index) => void data.writeBigUInt64LE(BigInt(value), 16 + 8 * index));
  return data;
}

/** The classic BPF machine, as far as system call filters use it. */
function run(filter: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const offset = at * instructionBytes;
    const code = filter.readUInt16LE(offset);
    const [yes, no] = [filter.readUInt8(offset + 2), filter.readUInt8(offset + 3)];
    const k = filter.readUInt32LE(offset + 4);
    const jump = (condition: boolean) => {
      at += condition ? yes : no;
    };
    switch (code) {
      case 0x20:
        accumulator = data.readUInt32LE(k);
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        jump(accumulator === k);
        break;
      case 0x25:
        jump(accumulator > k);
        break;
      case 0x35:
        jump(accumulator >= k);
        break;
      case 0x45:
        jump((accumulator & k) !== 0);
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`unknown instruction ${code.toString(16)}`);
    }
  }
}
