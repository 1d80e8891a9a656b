// When to look whether the rules are still as they should be: soon after somebody took something away, and now and then.
import { watchNft } from '../../host/net/nft-monitor.ts';

export interface DamageWatch {
  /** Of ours: others do not matter. */
  readonly table: string;
  /** How long ago we last changed something ourselves; 0 while we do. */
  readonly unchangedMs: () => number;
  readonly check: () => void;
  readonly signal: AbortSignal;
}

/** Somebody's flush is one change to us, however many objects go. */
const afterDamageMs = 10;
/** After a change of our own, which is heard of like damage: to look at everything then costs more than the change. */
const afterChangeMs = 1000;
const ownEchoMs = 200;
/** Damage that was not heard of is found by then. */
const checkEveryMs = 60_000;

/** Calls `check` until the signal. */
export function watchDamage({ table, unchangedMs, check, signal }: DamageWatch): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, unchangedMs() < ownEchoMs ? afterChangeMs : afterDamageMs);
  };
  watchNft({
    deleted: (line) => void (line.split(' ').includes(table) && soon()),
    listening: soon,
    signal,
  });
  const every = setInterval(check, checkEveryMs);
  signal.addEventListener('abort', () => {
    clearInterval(every);
    clearTimeout(timer);
  });
}
