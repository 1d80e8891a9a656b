// Reads of which nobody knows how long they take: a thread of the C library's makes them, and we wait for it for a moment.
// Sources: aio(7), <aio.h>. Memory that the kernel may still write into is not left to the garbage collector.

/** One read at a time. */
export interface AioSlot {
  /** Begins to read at the beginning of the file. Throws an error with an errno `code`. */
  begin(fd: number): void;
  /** True if it ended within that time. */
  wait(limitMs: number): boolean;
  /** What was read; undefined if that failed. Only of one that has ended. */
  result(): Buffer | undefined;
}

export interface Aio {
  slot(): AioSlot;
}

/** struct aiocb of glibc, where a word has 64 bits. */
const controlBytes = 168;
const at = { fd: 0, buffer: 16, bytes: 24, notify: 44 } as const;
const SIGEV_NONE = 1;
const EINPROGRESS = 115;
const readBytesMax = 4096;
/** More than can be waited for at the same time: one for each container. */
const threadsMax = 512;

/** Throws where the C library has none of it. */
export async function loadAio(): Promise<Aio> {
  const { default: koffi } = await import('koffi');
  const c = koffi.load(null);
  const library = hasAio(c) ? c : koffi.load('librt.so.1');
  const malloc = c.func('void *malloc(size_t size)');
  const put = c.func('void *memcpy(void *to, const void *from, size_t n)');
  const init = library.func('void aio_init(const void *settings)');
  const read = library.func('int aio_read(void *control)');
  const suspend = library.func('int aio_suspend(const void *list, int n, const void *timeout)');
  const error = library.func('int aio_error(const void *control)');
  const result = library.func('long aio_return(void *control)');
  const settings = Buffer.alloc(32);
  settings.writeInt32LE(threadsMax, 0);
  settings.writeInt32LE(threadsMax, 4);
  // Seconds until a thread that has nothing to do ends.
  settings.writeInt32LE(10, 24);
  init(settings);
  const slot = (): AioSlot => {
    const memory: unknown = malloc(controlBytes + readBytesMax);
    if (memory === null) throw Object.assign(new Error('ENOMEM: malloc'), { code: 'ENOMEM' });
    const address = koffi.address(memory);
    const list = Buffer.alloc(8);
    list.writeBigUInt64LE(address);
    return {
      begin: (fd) => {
        const control = Buffer.alloc(controlBytes);
        control.writeInt32LE(fd, at.fd);
        control.writeBigUInt64LE(address + BigInt(controlBytes), at.buffer);
        control.writeBigUInt64LE(BigInt(readBytesMax), at.bytes);
        control.writeInt32LE(SIGEV_NONE, at.notify);
        put(memory, control, controlBytes);
        if (read(memory) !== 0)
          throw Object.assign(new Error('EAGAIN: aio_read'), { code: 'EAGAIN' });
      },
      wait: (limitMs) => {
        if (error(memory) !== EINPROGRESS) return true;
        if (limitMs === 0) return false;
        const timeout = Buffer.alloc(16);
        timeout.writeBigInt64LE(BigInt(limitMs) * 1_000_000n, 8);
        suspend(list, 1, timeout);
        return error(memory) !== EINPROGRESS;
      },
      result: () => {
        const count = Number(result(memory));
        if (count < 0) return undefined;
        const all = Buffer.alloc(controlBytes + count);
        put(all, memory, all.length);
        return all.subarray(controlBytes);
      },
    };
  };
  return { slot };
}

/** Before glibc 2.34 it was a library of its own. */
function hasAio(c: { func(definition: string): unknown }): boolean {
  try {
    return c.func('int aio_read(void *control)') !== undefined;
  } catch {
    return false;
  }
}
