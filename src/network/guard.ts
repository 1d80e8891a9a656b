// The network guard: applies the rules of all sessions and repairs them. Every change brings the kernel to the wanted state.
import { type AddressRange, addressText, parseAddress } from '../addresses/ipv4.ts';
import type { Nft, NftObject } from '../host/net/nft.ts';
import type { ElementWriter } from '../host/net/nft-netlink.ts';
import { type Denial, denialsOf } from './denials.ts';
import type { GuardedPort } from './guarded-port.ts';
import type { NftCommand } from './nft-json.ts';
import { newReceipt } from './receipt.ts';
import { rulesetChanges, setsOf } from './ruleset-changes.ts';
import {
  differences,
  type Expected,
  expected,
  families,
  removeAll,
  replaceAll,
  sharedRules,
} from './ruleset-transaction.ts';
import { type SessionRules, sessionRules } from './session-rules.ts';

export interface GuardParts {
  readonly nft: Nft;
  /** The fast path for elements with a timeout. */
  readonly elements: Pick<ElementWriter, 'put' | 'has'>;
  readonly table: string;
  readonly dnsPort: number;
  /** The host's networks except the uplink; called before every change. */
  readonly attached: () => readonly AddressRange[];
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** Called after rules that differed were repaired. */
  readonly onRepaired: (differences: readonly string[]) => void;
}

/** An address of an allowed name. */
export interface ResolvedAddress {
  readonly set: string;
  readonly address: number;
  readonly seconds: number;
}

const differencesShownMax = 20;
/** An address that is open for nearly as long is not refreshed: the resolver requests more time than the TTL. */
const refreshSeconds = 30;

export class Guard {
  readonly #parts: GuardParts;
  readonly #ports = new Map<string, GuardedPort>();
  /** The rules that the kernel has; undefined if unknown. */
  #applied: readonly SessionRules[] | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #transacting = false;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  /** Set name → address → expiry (monotonic milliseconds). */
  readonly #resolved = new Map<string, Map<number, number>>();

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  /** Adopts the rules of an earlier coid if they are correct; otherwise replaces them in one transaction. */
  async start(ports: readonly GuardedPort[]): Promise<void> {
    for (const port of ports) this.#set(port);
    const objects = await this.#list();
    this.#adopt(objects);
    const wanted = this.#wanted();
    const found = differences(this.#expected(wanted), objects);
    if (found.length === 0) this.#applied = wanted;
    await this.#sync();
  }

  /** Adds or changes the rules of a port. Returns when they are active. Throws `network-unprotected`. */
  async put(port: GuardedPort): Promise<void> {
    const before = this.#ports.get(port.hostName);
    this.#set(port);
    try {
      await this.#sync();
    } catch (error) {
      if (before) this.#ports.set(port.hostName, before);
      else this.#ports.delete(port.hostName);
      throw error;
    }
  }

  /** Removes the rules of that port only. */
  async remove(hostName: string): Promise<void> {
    if (!this.#ports.delete(hostName)) return;
    await this.#sync();
    const known = setsOf(this.#wanted());
    for (const set of this.#resolved.keys()) if (!known.has(set)) this.#resolved.delete(set);
  }

  get(hostName: string): GuardedPort | undefined {
    return this.#ports.get(hostName);
  }

  all(): GuardedPort[] {
    return [...this.#ports.values()];
  }

  /** Milliseconds since the last change by this guard; 0 during a change. */
  unchangedMs(): number {
    return this.#transacting ? 0 : this.#parts.elapsedMs() - this.#changedAtMs;
  }

  /** Opens addresses in sets of a session for a limited time; skips those that are open long enough. Throws `network-unprotected`. */
  async open(addresses: readonly ResolvedAddress[]): Promise<void> {
    // A running transaction may replace the sets with their earlier content.
    while (this.#queued || this.#transacting) await this.#syncing.catch(() => undefined);
    const { table, elapsedMs, elements } = this.#parts;
    const now = elapsedMs();
    const due = addresses.filter(
      ({ set, address, seconds }) =>
        (this.#resolved.get(set)?.get(address) ?? 0) < now + (seconds - refreshSeconds) * 1000,
    );
    if (due.length === 0) return;
    elements.put(
      due.map(({ set, address, seconds }) => ({
        table,
        set,
        key: addressBytes(address),
        timeoutMs: seconds * 1000,
      })),
    );
    for (const { set, address, seconds } of due) {
      const known = this.#resolved.get(set) ?? new Map<number, number>();
      this.#resolved.set(set, known.set(address, now + seconds * 1000));
    }
  }

  /** Compares the kernel's rules with the wanted ones and repairs them. Returns the differences. */
  async check(): Promise<string[]> {
    // Waits for a running change, which would look like damage.
    await this.#syncing.catch(() => undefined);
    const applied = this.#applied;
    const objects = await this.#list();
    if (applied !== this.#applied) return [];
    const found = differences(this.#expected(applied ?? this.#wanted()), objects);
    // No damage, but the host may have a new network: an ordinary change.
    if (found.length === 0) {
      await this.#sync();
      return [];
    }
    this.#applied = undefined;
    await this.#sync();
    this.#parts.onRepaired(found.slice(0, differencesShownMax));
    return found;
  }

  /** Recent denials, as recorded by the kernel. */
  async denials(): Promise<Denial[]> {
    return denialsOf(await this.#parts.nft.table('inet', this.#parts.table));
  }

  /** Removes everything, for tests and uninstalling. */
  async removeAll(): Promise<void> {
    this.#ports.clear();
    this.#applied = undefined;
    await this.#parts.nft.apply(removeAll(this.#parts.table));
  }

  /** An address belongs to one session at a time: an earlier one has ended, even if this is not known yet. */
  #set(port: GuardedPort): void {
    for (const { hostName, bridge, address } of this.#ports.values()) {
      if (bridge === port.bridge && address === port.address) this.#ports.delete(hostName);
    }
    this.#ports.set(port.hostName, port);
  }

  /** Runs one transaction at a time; requests meanwhile are combined into the next. */
  #sync(): Promise<void> {
    if (this.#queued) return this.#queued;
    const next = this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        this.#transacting = true;
        return this.#transact().finally(() => {
          this.#transacting = false;
          this.#changedAtMs = this.#parts.elapsedMs();
        });
      });
    this.#queued = next;
    this.#syncing = next;
    return next;
  }

  async #transact(): Promise<void> {
    const wanted = this.#wanted();
    const applied = this.#applied;
    this.#applied = undefined;
    if (applied) {
      try {
        await this.#apply(rulesetChanges(applied, wanted));
        this.#applied = wanted;
        return;
      } catch {
        // Somebody else changed our tables: they are replaced below.
      }
    }
    await this.#apply(replaceAll(this.#expected(wanted), this.#keepResolved(wanted)));
    this.#applied = wanted;
  }

  /** Adds a receipt to the transaction, which the kernel has afterwards only if it accepted all commands. */
  async #apply(commands: readonly NftCommand[]): Promise<void> {
    if (commands.length === 0) return;
    const { nft, elements, table } = this.#parts;
    const receipt = newReceipt(table);
    await nft.apply([...commands, receipt.command], () => elements.has(receipt.key));
  }

  #wanted(): SessionRules[] {
    const surroundings = { table: this.#parts.table, attached: this.#parts.attached() };
    return [
      sharedRules(surroundings),
      ...[...this.#ports.values()].map((port) => sessionRules(port, surroundings)),
    ];
  }

  #expected(rules: readonly SessionRules[]): Expected {
    return expected(this.#parts, rules);
  }

  async #list(): Promise<NftObject[]> {
    const { nft, table } = this.#parts;
    return (await Promise.all(families.map((family) => nft.table(family, table)))).flat();
  }

  /** Commands that add unexpired addresses to the new set of the same name. */
  #keepResolved(wanted: readonly SessionRules[]): NftCommand[] {
    const now = this.#parts.elapsedMs();
    const sets = setsOf(wanted);
    return [...this.#resolved].flatMap(([set, addresses]) =>
      sets.has(set)
        ? [...addresses].flatMap(([address, untilMs]) =>
            untilMs > now
              ? [
                  addCommand(this.#parts.table, {
                    set,
                    address,
                    seconds: Math.ceil((untilMs - now) / 1000),
                  }),
                ]
              : [],
          )
        : [],
    );
  }

  #adopt(objects: readonly NftObject[]): void {
    const now = this.#parts.elapsedMs();
    for (const { set } of objects as readonly {
      set?: { name: string; type: unknown; elem?: unknown[] };
    }[]) {
      if (set?.type !== 'ipv4_addr' || !set.elem) continue;
      const known = new Map<number, number>();
      for (const element of set.elem as readonly {
        elem?: { val?: unknown; expires?: unknown };
      }[]) {
        const { val, expires } = element.elem ?? {};
        const address = typeof val === 'string' ? parseAddress(val) : undefined;
        if (address !== undefined && typeof expires === 'number')
          known.set(address, now + expires * 1000);
      }
      this.#resolved.set(set.name, known);
    }
  }
}

function addCommand(table: string, { set, address, seconds }: ResolvedAddress): NftCommand {
  return {
    add: {
      element: {
        family: 'inet',
        table,
        name: set,
        elem: [{ elem: { val: addressText(address), timeout: seconds } }],
      },
    },
  };
}

function addressBytes(address: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}
