// Preloaded into each test file (`--import`): reports the handles and child processes that are still open after the last
// test. Such handles would keep the process alive; `--test-force-exit` hides them.
import { readFileSync } from 'node:fs';
import { leakMark } from '../../scripts/recap.ts';

/** The streams of the process itself, the channel to the test runner, and processes, which are reported by name. */
const usual = new Set(['TTYWrap', 'PipeWrap', 'ProcessWrap']);
/** Operations that end on their own within a moment. */
const isBrief = (kind: string) => kind.startsWith('FSReq') || /(Write|Shutdown)Wrap$/.test(kind);

process.on('exit', () => {
  const open = new Map<string, number>();
  for (const kind of [...process.getActiveResourcesInfo(), ...childNames()])
    if (!usual.has(kind) && !isBrief(kind)) open.set(kind, (open.get(kind) ?? 0) + 1);
  if (open.size === 0) return;
  const shown = [...open].map(([kind, count]) => `${kind} × ${count}`).join(', ');
  process.stderr.write(`${leakMark}${shown}\n`);
});

/** Names of the child processes that have not ended. */
function childNames(): string[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // It ended meanwhile.
      return '';
    }
  };
  return read(`/proc/self/task/${process.pid}/children`)
    .split(' ')
    .filter((pid) => pid !== '' && !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`)))
    .map((pid) => `process ${read(`/proc/${pid}/comm`).trim()}`);
}
