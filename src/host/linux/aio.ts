// Reads that may block for any time: a thread of the C library makes them, and we wait for it briefly.
// Sources: aio(7), <aio.h>. Buffers that the kernel may still write to must not be garbage-collected, so they are malloc'ed.

/** One read at a time. */
export interface AioSlot {
  /** Starts reading at the beginning of the file. Throws an error with an errno `code`. */
  begin(fd: number): void;
  /** True if the read completed within that time. */
  wait(limitMs: number): boolean;
  /** The bytes read; undefined on failure. Only after the read has completed. */
  result(): Buffer | undefined;
}

export interface Aio {
  slot(): AioSlot;
}

/** glibc's struct aiocb on 64-bit systems. */
const controlBytes = 168;
const at = { fd: 0, buffer: 16, bytes: 24, notify: 44 } as const;
const SIGEV_NONE = 1;
const EINPROGRESS = 115;
const readBytesMax = 4096;
/** More than the number of reads that can be pending at once. */
const threadsMax = 512;

/** Throws if the C library has no aio. */
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
  // Seconds until an idle thread ends.
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

/** Before glibc 2.34 it was a separate library. */
function hasAio(c: { func(definition: string): unknown }): boolean {
  try {
    return c.func('int aio_read(void *control)') !== undefined;
  } catch {
    return false;
  }
}
