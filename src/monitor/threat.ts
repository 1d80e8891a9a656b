// A finding of a detector.

export type Level = 'info' | 'warning' | 'high' | 'critical';

export type Category = 'network' | 'process' | 'filesystem' | 'environment' | 'monitor';

export interface Threat {
  readonly level: Level;
  readonly category: Category;
  /** One line, identical for all findings of a kind. */
  readonly title: string;
  /** One or two sentences for the user. */
  readonly description: string;
  /** Facts for programs and the audit log; strings are redacted before they are written. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** Distinguishes findings with the same title: the same key means the same finding. */
  readonly key: string;
}

const order: readonly Level[] = ['info', 'warning', 'high', 'critical'];

/** Negative if `one` is lower than `other`. */
export function compareLevels(one: Level, other: Level): number {
  return order.indexOf(one) - order.indexOf(other);
}

export function isAtLeast(level: Level, least: Level): boolean {
  return compareLevels(level, least) >= 0;
}
