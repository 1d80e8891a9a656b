// Rows, budgets and medians of a measurement. Pure except for running the subjects.

export type SubjectName = 'coi' | 'floor' | 'incus';

/** Prepares, measures and cleans up once; returns the milliseconds of the measured part only. */
export type Subject<Stage> = (stage: Stage) => Promise<number>;

export interface Budget {
  readonly ratio: number;
  /** What coi's median is divided by: another subject of the row, or coi's own median of an earlier row. */
  readonly over: 'floor' | 'incus' | { readonly row: string };
}

export interface Row<Stage> {
  readonly id: string;
  readonly title: string;
  readonly budgets: readonly Budget[];
  readonly subjects: Readonly<Partial<Record<SubjectName, Subject<Stage>>>>;
  /** Runs once before the first sample; the stage is cleared after the last. */
  readonly prepare?: (stage: Stage) => Promise<void>;
}

export interface RowResult {
  readonly id: string;
  readonly title: string;
  readonly samplesMs: Readonly<Partial<Record<SubjectName, readonly number[]>>>;
  readonly verdicts: readonly Verdict[];
  /** Failed samples (an overloaded Incus fails now and then), as `subject: error`. */
  readonly lost: readonly string[];
  /** Why the row has no result at all. */
  readonly failure?: string;
}

export interface Verdict {
  readonly budget: Budget;
  /** Undefined if there is nothing to divide by, because that row was not run. */
  readonly ratio: number | undefined;
  readonly within: boolean | undefined;
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

const lostMax = 3;

/** Runs the subjects of a row alternately, `runs` times each after a warm-up, so that load affects all equally. */
export async function measureRow<Stage extends { clear(): Promise<void> }>(
  row: Row<Stage>,
  stage: Stage,
  runs: number,
  earlier: readonly RowResult[],
  progress: (text: string) => void,
): Promise<RowResult> {
  const names = (['floor', 'coi', 'incus'] as const).filter(
    (name) => row.subjects[name] !== undefined,
  );
  const samplesMs: Partial<Record<SubjectName, number[]>> = {};
  const lost: string[] = [];
  const sample = async (name: SubjectName, counts: boolean) => {
    try {
      const ms = await row.subjects[name]?.(stage);
      if (counts && ms !== undefined) samplesMs[name] = [...(samplesMs[name] ?? []), ms];
    } catch (error) {
      lost.push(`${name}: ${error}`);
      // `prepare` is for all samples; without it, the sample's instances can be removed.
      if (row.prepare === undefined) await stage.clear();
    }
  };
  const { id, title } = row;
  try {
    await row.prepare?.(stage);
    for (let run = 0; run <= runs; run += 1) {
      for (const name of names) {
        progress(`${id}: ${run === 0 ? 'warm-up' : `${run} of ${runs}`} ${name}`);
        await sample(name, run > 0);
      }
      if (lost.length > lostMax) throw new Error(`too many samples failed: ${lost.at(-1)}`);
    }
  } catch (error) {
    return { id, title, samplesMs, verdicts: [], lost, failure: String(error) };
  } finally {
    await stage.clear();
  }
  const verdicts = row.budgets.map((budget) => verdict(budget, samplesMs, earlier));
  return { id, title, samplesMs, verdicts, lost };
}

function verdict(
  budget: Budget,
  samplesMs: RowResult['samplesMs'],
  earlier: readonly RowResult[],
): Verdict {
  const { over } = budget;
  const divisors =
    typeof over === 'string'
      ? samplesMs[over]
      : earlier.find(({ id }) => id === over.row)?.samplesMs.coi;
  const [own, other] = [median(samplesMs.coi ?? []), median(divisors ?? [])];
  if (own === undefined || other === undefined)
    return { budget, ratio: undefined, within: undefined };
  const ratio = own / other;
  return { budget, ratio, within: ratio <= budget.ratio };
}
