// Durations of steps: on stderr at the end with COI_TIMING_DEBUG=1, as JSON in a file with COI_TIMING_DEBUG_JSON=FILE.
import { writeFileSync } from 'node:fs';
import type { StepEvent } from '../../session/lifecycle/steps.ts';

export interface Timing {
  readonly record: (event: StepEvent) => void;
  readonly mark: (name: string) => void;
  readonly report: () => void;
}

export function stepTiming(
  env: Readonly<Record<string, string | undefined>>,
  write: (text: string) => unknown,
  elapsedMs: () => number,
): Timing {
  const rows: { name: string; atMs: number; tookMs?: number }[] = [];
  const round = (ms: number) => Math.round(ms * 10) / 10;
  const [text, file] = [env['COI_TIMING_DEBUG'], env['COI_TIMING_DEBUG_JSON']];
  return {
    record: (event) => {
      if (event.kind === 'done' || event.kind === 'failed')
        rows.push({ name: event.name, atMs: round(elapsedMs()), tookMs: round(event.tookMs) });
    },
    mark: (name) => rows.push({ name, atMs: round(elapsedMs()) }),
    report: () => {
      if (text)
        for (const row of rows)
          write(
            `[timing] ${String(row.atMs).padStart(8)} ms  ${row.name}${row.tookMs === undefined ? '' : ` (${row.tookMs} ms)`}\n`,
          );
      if (file && rows.length > 0)
        writeFileSync(file, `${JSON.stringify(rows)}\n`, { mode: 0o600 });
    },
  };
}
