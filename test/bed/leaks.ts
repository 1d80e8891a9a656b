// Preloaded into each file of tests (`--import`): says what it still holds open when its last test has ended. Such a
// handle would keep the process alive; `--test-force-exit` hides it.
import { leakMark } from '../../scripts/recap.ts';

/** The streams of the process itself, and the runner's own channel. */
const usual = new Set(['TTYWrap', 'PipeWrap']);

if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  process.on('exit', () => {
    const open = new Map<string, number>();
    for (const kind of process.getActiveResourcesInfo())
      if (!usual.has(kind)) open.set(kind, (open.get(kind) ?? 0) + 1);
    if (open.size === 0) return;
    const shown = [...open].map(([kind, count]) => `${kind} × ${count}`).join(', ');
    process.stderr.write(`${leakMark}${shown}\n`);
  });
}
