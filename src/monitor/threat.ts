// What a detector finds.

export type Level = 'info' | 'warning' | 'high' | 'critical';

export type Category = 'network' | 'process' | 'filesystem' | 'environment' | 'monitor';

export interface Threat {
  readonly level: Level;
  readonly category: Category;
  /** One line, the same for the same kind of finding. */
  readonly title: string;
  /** One or two sentences for the user. */
  readonly description: string;
  /** Facts, for programs and for the record; texts in it are cleaned before they are written. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** Tells this finding from others of the same title: two with the same key are one. */
  readonly key: string;
}

const order: readonly Level[] = ['info', 'warning', 'high', 'critical'];

/** Negative if `one` is milder than `other`. */
export function compareLevels(one: Level, other: Level): number {
  return order.indexOf(one) - order.indexOf(other);
}

export function isAtLeast(level: Level, least: Level): boolean {
  return compareLevels(level, least) >= 0;
}
