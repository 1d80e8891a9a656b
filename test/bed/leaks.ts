// Preloaded into each test file (`--import`): reports the handles that are still open after the last test. They would
// keep the process alive; `--test-force-exit` hides them.
import { leakMark } from '../../scripts/recap.ts';

/** The streams of the process itself and the channel to the test runner. */
const usual = new Set(['TTYWrap', 'PipeWrap']);
/** Operations that end on their own within a moment. */
const isBrief = (kind: string) => kind.startsWith('FSReq') || kind.endsWith('WriteWrap');

if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  process.on('exit', () => {
    const open = new Map<string, number>();
    for (const kind of process.getActiveResourcesInfo())
      if (!usual.has(kind) && !isBrief(kind)) open.set(kind, (open.get(kind) ?? 0) + 1);
    if (open.size === 0) return;
    const shown = [...open].map(([kind, count]) => `${kind} × ${count}`).join(', ');
    process.stderr.write(`${leakMark}${shown}\n`);
  });
}
