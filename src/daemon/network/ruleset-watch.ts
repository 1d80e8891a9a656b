// Checks the ruleset soon after something was deleted, and at regular intervals.
import { watchNft } from '../../host/net/nft-monitor.ts';

export interface RulesetWatch {
  /** Our table; others do not matter. */
  readonly table: string;
  /** Time since our own last change; 0 during one. */
  readonly unchangedMs: () => number;
  readonly check: () => void;
  readonly signal: AbortSignal;
}

/** Delay that makes a flush one change, however many objects it deletes. */
const afterDamageMs = 10;
/** Delay after our own change, which also causes events: a full check costs more than the change. */
const afterChangeMs = 1000;
const ownEchoMs = 200;
/** Finds damage without an event. */
const checkEveryMs = 60_000;

/** Calls `check` until the signal. */
export function watchRuleset({ table, unchangedMs, check, signal }: RulesetWatch): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, unchangedMs() < ownEchoMs ? afterChangeMs : afterDamageMs);
  };
  watchNft({
    onDeleted: (line) => void (line.split(' ').includes(table) && soon()),
    onListening: soon,
    signal,
  });
  const every = setInterval(check, checkEveryMs);
  signal.addEventListener('abort', () => {
    clearInterval(every);
    clearTimeout(timer);
  });
}
