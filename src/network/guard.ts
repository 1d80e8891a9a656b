// Puts the rules of sessions in force and keeps them there. What is wanted is a map; every change makes the kernel like it.
import { type AddressRange, addressText, parseAddress } from '../addresses/ipv4.ts';
import type { Nft, NftObject } from '../host/net/nft.ts';
import type { ElementWriter } from '../host/net/nft-netlink.ts';
import { changes, setsOf } from './changes.ts';
import { type Denial, denialsOf } from './denials.ts';
import type { GuardedPort } from './guarded-port.ts';
import type { NftCommand } from './nft-json.ts';
import { newReceipt } from './receipt.ts';
import { type SessionRules, sessionRules } from './session-rules.ts';
import {
  differences,
  type Expected,
  expected,
  families,
  removeAll,
  replaceAll,
  sharedRules,
} from './ruleset-transaction.ts';

export interface GuardParts {
  readonly nft: Nft;
  /** The quick way for elements with a time. */
  readonly elements: Pick<ElementWriter, 'put' | 'has'>;
  readonly table: string;
  readonly dnsPort: number;
  /** The host's networks other than the way to the internet; asked before every change. */
  readonly attached: () => readonly AddressRange[];
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** Told when rules were not as they should be, and were put right. */
  readonly mended: (differences: readonly string[]) => void;
}

/** An address that a name was resolved to. */
export interface ResolvedAddress {
  readonly set: string;
  readonly address: number;
  readonly seconds: number;
}

const differencesShownMax = 20;
/** Not refreshed when it is open for nearly as long as wanted: the resolver asks for more time than the answer is good for. */
const refreshSeconds = 30;

export class Guard {
  readonly #parts: GuardParts;
  readonly #ports = new Map<string, GuardedPort>();
  /** What the kernel was last told; undefined if that is not known. */
  #applied: readonly SessionRules[] | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #transacting = false;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  /** Set name → address → until when (monotonic milliseconds). */
  readonly #resolved = new Map<string, Map<number, number>>();

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  /** Takes over what an earlier coid left in force if it is right; replaces it in one transaction if not. */
  async start(ports: readonly GuardedPort[]): Promise<void> {
    for (const port of ports) this.#set(port);
    const objects = await this.#list();
    this.#adopt(objects);
    const wanted = this.#wanted();
    const found = differences(this.#expected(wanted), objects);
    if (found.length === 0) this.#applied = wanted;
    await this.#sync();
  }

  /** Guards that port from now on, or guards it in another way. Returns when it is in force. Throws `network-unprotected`. */
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

  /** Takes the rules of that port away, and only those. */
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

  /** How long ago this last changed something, in milliseconds; 0 while it does. */
  unchangedMs(): number {
    return this.#transacting ? 0 : this.#parts.elapsedMs() - this.#changedAtMs;
  }

  /** Opens addresses for a while in sets of a session; those that are open long enough cost nothing. Throws `network-unprotected`. */
  async open(addresses: readonly ResolvedAddress[]): Promise<void> {
    // A transaction under way may replace the sets with what it knew when it began.
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

  /** Compares with what is really in force, and puts it right. Returns what was wrong. */
  async check(): Promise<string[]> {
    // Whatever is being changed is waited for, or it would be taken for damage.
    await this.#syncing.catch(() => undefined);
    const applied = this.#applied;
    const objects = await this.#list();
    if (applied !== this.#applied) return [];
    const found = differences(this.#expected(applied ?? this.#wanted()), objects);
    // No damage, but the host may have got another network: that is an ordinary change.
    if (found.length === 0) {
      await this.#sync();
      return [];
    }
    this.#applied = undefined;
    await this.#sync();
    this.#parts.mended(found.slice(0, differencesShownMax));
    return found;
  }

  /** What was refused of late, as the kernel noted it. */
  async denials(): Promise<Denial[]> {
    return denialsOf(await this.#parts.nft.table('inet', this.#parts.table));
  }

  /** Takes everything away: for tests and for uninstalling. */
  async removeAll(): Promise<void> {
    this.#ports.clear();
    this.#applied = undefined;
    await this.#parts.nft.apply(removeAll(this.#parts.table));
  }

  /** An address is given to one session at a time: whoever had it before is gone, though nobody said so yet. */
  #set(port: GuardedPort): void {
    for (const { hostName, bridge, address } of this.#ports.values()) {
      if (bridge === port.bridge && address === port.address) this.#ports.delete(hostName);
    }
    this.#ports.set(port.hostName, port);
  }

  /** One transaction at a time; what is asked for meanwhile goes together into the next. */
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
        await this.#apply(changes(applied, wanted));
        this.#applied = wanted;
        return;
      } catch {
        // Somebody else changed our tables: everything is said anew below.
      }
    }
    await this.#apply(replaceAll(this.#expected(wanted), this.#carried(wanted)));
    this.#applied = wanted;
  }

  /** With a receipt in the same transaction, which the kernel has afterwards only if it took all of it. */
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

  /** Addresses that are still good go over into a new set of the same name. */
  #carried(wanted: readonly SessionRules[]): NftCommand[] {
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
