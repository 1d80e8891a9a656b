// The system call filters that a process has, as the kernel holds them, and what they say of any call of any architecture:
// also of those that this kernel itself lacks. Sources: ptrace(2), seccomp(2), <linux/filter.h>.
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
/** What numbers of x32 calls have besides; the architecture is that of the 64-bit ones. */
export const x32 = 0x4000_0000;
/** The verdict that makes a call fail with that error. */
export const failsWith = (errno: number) => 0x0005_0000 | errno;

export interface Call {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly number[];
}

/** All filters of a process, which stands still meanwhile. */
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

/** The strictest of what the filters say. */
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

/** The machine of classic BPF, as far as filters of system calls use it. */
function run(filter: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const place = at * instructionBytes;
    const code = filter.readUInt16LE(place);
    const [yes, no] = [filter.readUInt8(place + 2), filter.readUInt8(place + 3)];
    const k = filter.readUInt32LE(place + 4);
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
