// Adds elements with a timeout to nftables sets and queries them through netlink, without a process: this happens for
// every DNS reply and every change of the rules.
// Source: <linux/netfilter/nfnetlink.h>, <linux/netfilter/nf_tables.h>, netlink(7).

export interface SetKey {
  readonly table: string;
  readonly set: string;
  /** In the kernel's form: an IPv4 address in network byte order, a mark in host byte order. */
  readonly key: Buffer;
}

export interface TimedElement extends SetKey {
  readonly timeoutMs: number;
}

export interface ElementWriter {
  /** Adds all elements or none, in sets of the family inet; an existing one gets the new timeout. Throws NetlinkError. */
  put(elements: readonly TimedElement[]): void;
  /** Whether the kernel has the element, in a set of the family inet. Throws NetlinkError. */
  has(element: SetKey): boolean;
  close(): void;
}

export class NetlinkError extends Error {
  /** The kernel's errno; 0 if it did not answer. */
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what} (errno ${errno})`);
    this.name = 'NetlinkError';
    this.errno = errno;
  }
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0x80003;
const NETLINK_NETFILTER = 12;
const MSG_DONTWAIT = 0x40;
const NFPROTO_INET = 1;
const SUBSYSTEM = 10;
const messages = {
  batchBegin: 0x10,
  batchEnd: 0x11,
  newElement: (SUBSYSTEM << 8) | 12,
  getElement: (SUBSYSTEM << 8) | 13,
  deleteElement: (SUBSYSTEM << 8) | 14,
};
const ENOENT = 2;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_CREATE = 0x400;
const NLMSG_ERROR = 2;
const NLA_F_NESTED = 0x8000;
/** NFTA_SET_ELEM_LIST_*, NFTA_LIST_ELEM, NFTA_SET_ELEM_*, NFTA_DATA_VALUE. */
const attributes = { table: 1, set: 2, elements: 3, element: 1, key: 1, timeout: 4, value: 1 };
const replyBytes = 65_536;
const headerBytes = 16;

/** Opens a netlink socket; coid loads koffi anyway. Throws NetlinkError. */
export async function openElementWriter(): Promise<ElementWriter> {
  const { default: koffi } = await import('koffi');
  const c = koffi.load(null);
  const socket = c.func('int socket(int domain, int type, int protocol)');
  const send = c.func('long send(int fd, void *data, size_t length, int flags)');
  const recv = c.func('long recv(int fd, _Out_ uint8_t *data, size_t length, int flags)');
  const close = c.func('int close(int fd)');
  const fd = Number(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER));
  if (fd < 0) throw new NetlinkError('cannot open a netlink socket', koffi.errno());
  let sequence = 1;
  const drain = (): Buffer[] => {
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.alloc(replyBytes);
      const bytes = Number(recv(fd, part, part.length, MSG_DONTWAIT));
      if (bytes <= 0) return parts;
      parts.push(part.subarray(0, bytes));
    }
  };
  const exchange = (bytes: Buffer): Buffer[] => {
    // Drops leftovers of an earlier exchange.
    drain();
    if (Number(send(fd, bytes, bytes.length, 0)) !== bytes.length)
      throw new NetlinkError('cannot send to netlink', koffi.errno());
    // The kernel has replied by the time send returns.
    return drain();
  };
  return {
    put: (elements) => {
      const first = sequence;
      const { bytes, acknowledged } = batch(elements, first);
      sequence += acknowledged + 2;
      checkAcknowledged(exchange(bytes), first, acknowledged);
    },
    has: (element) => {
      const number = sequence;
      sequence += 1;
      const head = generic(NFPROTO_INET, 0);
      const parts = elementAttributes(element, undefined);
      return isElementReply(
        exchange(message(messages.getElement, NLM_F_REQUEST, number, head, parts)),
        number,
      );
    },
    close: () => void close(fd),
  };
}

/** The numbered messages of one transaction; the kernel acknowledges all but the first and the last. */
export function batch(
  elements: readonly TimedElement[],
  first: number,
): { bytes: Buffer; acknowledged: number } {
  let sequence = first;
  const next = () => {
    sequence += 1;
    return sequence - 1;
  };
  const frame = (type: number) => message(type, NLM_F_REQUEST, next(), generic(0, SUBSYSTEM), []);
  const begin = frame(messages.batchBegin);
  // Adding an existing element keeps its old timeout, so it is deleted in between.
  const writes = elements.flatMap((element) => {
    const add = () =>
      message(
        messages.newElement,
        NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
        next(),
        generic(NFPROTO_INET, 0),
        elementAttributes(element, element.timeoutMs),
      );
    const remove = () =>
      message(
        messages.deleteElement,
        NLM_F_REQUEST | NLM_F_ACK,
        next(),
        generic(NFPROTO_INET, 0),
        elementAttributes(element, undefined),
      );
    return [add(), remove(), add()];
  });
  return {
    bytes: Buffer.concat([begin, ...writes, frame(messages.batchEnd)]),
    acknowledged: writes.length,
  };
}

interface NetlinkReply {
  readonly type: number;
  readonly sequence: number;
  /** 0 for an acknowledgement, else the error. */
  readonly errno: number;
}

function parseReplies(parts: readonly Buffer[]): NetlinkReply[] {
  const found: NetlinkReply[] = [];
  for (const part of parts) {
    for (let at = 0; at + headerBytes + 4 <= part.length; ) {
      const length = part.readUInt32LE(at);
      if (length < headerBytes) break;
      found.push({
        type: part.readUInt16LE(at + 4),
        sequence: part.readUInt32LE(at + 8),
        errno: -part.readInt32LE(at + headerBytes),
      });
      at += aligned(length);
    }
  }
  return found;
}

function checkAcknowledged(parts: readonly Buffer[], first: number, acknowledged: number): void {
  const answers = parseReplies(parts).filter(
    ({ type, sequence }) => type === NLMSG_ERROR && sequence >= first,
  );
  for (const { errno } of answers)
    if (errno !== 0) throw new NetlinkError('the kernel refused elements of a set', errno);
  if (answers.length < acknowledged) throw new NetlinkError('the kernel did not answer', 0);
}

function isElementReply(parts: readonly Buffer[], number: number): boolean {
  const answer = parseReplies(parts).find(({ sequence }) => sequence === number);
  if (answer?.type === messages.newElement) return true;
  if (answer?.type === NLMSG_ERROR && answer.errno === ENOENT) return false;
  throw new NetlinkError('the kernel did not report an element of a set', answer?.errno ?? 0);
}

function elementAttributes({ table, set, key }: SetKey, timeoutMs: number | undefined): Buffer[] {
  const parts = [attribute(attributes.key | NLA_F_NESTED, attribute(attributes.value, key))];
  if (timeoutMs !== undefined) {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(Math.ceil(timeoutMs)));
    parts.push(attribute(attributes.timeout, time));
  }
  const element = attribute(attributes.element | NLA_F_NESTED, Buffer.concat(parts));
  return [
    attribute(attributes.table, Buffer.from(`${table}\0`)),
    attribute(attributes.set, Buffer.from(`${set}\0`)),
    attribute(attributes.elements | NLA_F_NESTED, element),
  ];
}

function message(
  type: number,
  flags: number,
  sequence: number,
  head: Buffer,
  parts: readonly Buffer[],
): Buffer {
  const body = Buffer.concat([head, ...parts]);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerBytes + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** struct nfgenmsg. */
function generic(family: number, resource: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(family, 0);
  head.writeUInt16BE(resource, 2);
  return head;
}

function attribute(type: number, value: Buffer): Buffer {
  const whole = Buffer.alloc(aligned(4 + value.length));
  whole.writeUInt16LE(4 + value.length, 0);
  whole.writeUInt16LE(type, 2);
  value.copy(whole, 4);
  return whole;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
