// Host mounts below a directory, from the kernel's mount table.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Mount points below (or at) a directory, innermost last. */
export async function mountPointsUnder(directory: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const points = lines.map((line) => unescaped(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === directory || point.startsWith(`${directory}/`));
}

/**
 * Resolves when nothing is mounted below the directory; rejects on timeout. Waits for kernel notifications of
 * mount table changes, such as those by coid after a lease.
 */
export async function untilUnmounted(directory: string, limitMs = 30_000): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  for (;;) {
    const points = await mountPointsUnder(directory);
    if (points.length === 0) return;
    if (limit.aborted) throw new Error(`still mounted after ${limitMs} ms: ${points.join(', ')}`);
    await mountTableChange(limit);
  }
}

/** Resolves on a mount or unmount, or at the limit. */
async function mountTableChange(limit: AbortSignal): Promise<void> {
  const watch = spawn('findmnt', ['--poll', '--first-only', '--noheadings', '--timeout', '500'], {
    stdio: 'ignore',
    signal: limit,
  });
  watch.on('error', () => {});
  // When the limit ends it, it reports an error too.
  await new Promise((resolve) => watch.once('close', resolve));
}

/** The kernel escapes blank, tab, newline and backslash as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
