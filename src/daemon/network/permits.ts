// Temporary permits of users, in a file of root's, so that they expire even if coid restarts.
import * as z from 'zod/mini';
import { parseEntry } from '../../network/entry.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import { readState, writeState } from '../state-file.ts';

export interface StoredPermit {
  /** As in `allowed_domains`; validated when it was added. */
  readonly entry: string;
  /** ISO 8601 by the wall clock, as it has to survive a reboot. */
  readonly until: string;
}

const permitsMax = 100;

export class Permits {
  readonly #path: string;
  readonly #now: () => Date;
  /** Permits by the host-side interface of the session. */
  readonly #permits: Map<string, readonly StoredPermit[]>;

  constructor(path: string, now: () => Date) {
    this.#path = path;
    this.#now = now;
    this.#permits = read(path);
  }

  /** Permits that have not expired. */
  of(hostName: string): readonly StoredPermit[] {
    const now = this.#now().toISOString();
    return (this.#permits.get(hostName) ?? []).filter(({ until }) => until > now);
  }

  /** Adding an entry again replaces its time. */
  add(hostName: string, permit: StoredPermit): void {
    const others = this.of(hostName).filter(({ entry }) => entry !== permit.entry);
    this.#permits.set(hostName, [...others, permit].slice(-permitsMax));
    this.#write();
  }

  remove(hostName: string): void {
    if (this.#permits.delete(hostName)) this.#write();
  }

  /** Drops expired permits. Returns the affected interfaces. */
  expire(): string[] {
    const concerned = [...this.#permits]
      .filter(([hostName, permits]) => this.of(hostName).length < permits.length)
      .map(([hostName]) => hostName);
    for (const hostName of concerned) {
      const left = this.of(hostName);
      if (left.length > 0) this.#permits.set(hostName, left);
      else this.#permits.delete(hostName);
    }
    if (concerned.length > 0) this.#write();
    return concerned;
  }

  /** When the next permit expires. */
  nextEnd(): Date | undefined {
    const ends = [...this.#permits.values()].flat().map(({ until }) => until);
    return ends.length === 0
      ? undefined
      : new Date(Math.min(...ends.map((end) => Date.parse(end))));
  }

  #write(): void {
    const text = JSON.stringify(Object.fromEntries(this.#permits));
    writeState(this.#path, text, { flush: false });
  }
}

/** A port with the user's temporary permits added to its policy. */
export function withPermits(port: GuardedPort, permits: readonly StoredPermit[]): GuardedPort {
  const entries = permits.map(({ entry }) => parseEntry(entry));
  const networks = entries.flatMap((entry) =>
    entry.kind === 'network' ? [{ range: entry.range, ports: entry.ports }] : [],
  );
  const names = entries
    .filter(({ kind }) => kind !== 'network')
    .map((entry) => ({ ...entry, temporary: true as const }));
  const allow = [...port.policy.allow, ...names];
  return { ...port, policy: { ...port.policy, allow }, permits: networks };
}

const shape = z.record(z.string(), z.array(z.object({ entry: z.string(), until: z.string() })));

/** A damaged file grants nothing. */
function read(path: string): Map<string, readonly StoredPermit[]> {
  return new Map(Object.entries(readState(path, shape) ?? {}));
}
