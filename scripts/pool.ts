// Runs jobs side by side, a few at a time.

export interface Job {
  readonly name: string;
  /** Jobs of one lane run one after the other. */
  readonly lane?: string;
  /** Names of jobs that must have ended before this one starts. */
  readonly after?: readonly string[];
  run(): Promise<void>;
}

/**
 * Runs all jobs, at most `width` at a time, and returns when the last has ended. Takes the first job of the list whose
 * lane is free and whose `after` jobs have ended. Starts nothing more once `stopped()` is true.
 */
export async function runPool(
  jobs: readonly Job[],
  options: { readonly width: number; readonly stopped: () => boolean },
): Promise<void> {
  const waiting = [...jobs];
  const unfinished = new Set(jobs.map(({ name }) => name));
  const busyLanes = new Set<string>();
  const running = new Set<Promise<void>>();

  const isReady = ({ lane, after = [] }: Job) =>
    (lane === undefined || !busyLanes.has(lane)) && !after.some((name) => unfinished.has(name));

  const start = (job: Job) => {
    if (job.lane !== undefined) busyLanes.add(job.lane);
    const ended = job.run().finally(() => {
      if (job.lane !== undefined) busyLanes.delete(job.lane);
      unfinished.delete(job.name);
      running.delete(ended);
    });
    running.add(ended);
  };

  for (;;) {
    while (running.size < options.width && !options.stopped()) {
      const next = waiting.findIndex(isReady);
      if (next < 0) break;
      const [job] = waiting.splice(next, 1);
      if (job !== undefined) start(job);
    }
    if (running.size === 0) return;
    await Promise.race(running);
  }
}
