import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { questionBytes, readQuestion } from './question.ts';
import { forwardReply, type Reply, replyBytes } from './reply.ts';
import { readAnswer } from './upstream-answer.ts';

const runs = { numRuns: 500 };

function question(name: string, type = 'A', more: object = {}) {
  return encode({
    id: 7,
    type: 'query',
    flags: 0x0100,
    questions: [{ name, type: type as 'A', class: 'IN' }],
    ...more,
  });
}

function answer(
  records: readonly { name: string; type: 'A' | 'CNAME' | 'AAAA'; ttl: number; data: string }[],
  flags = 0x8180,
  name = 'www.example.org',
) {
  return encode({
    id: 7,
    type: 'response',
    flags,
    questions: [{ name, type: 'A', class: 'IN' }],
    answers: records.map((record) => ({ ...record, class: 'IN' as const })),
  });
}

test('a question is normalized, and the reply keeps its spelling', () => {
  const read = readQuestion(question('WWW.Example.ORG'));
  assert.ok(read.kind === 'question');
  assert.deepEqual(read.question, {
    id: 7,
    asked: 'WWW.Example.ORG',
    name: 'www.example.org',
    type: 'A',
    recursionDesired: true,
    udpBytesMax: undefined,
  });
  const own = readQuestion(questionBytes('example.org', 'A'));
  assert.ok(own.kind === 'question');
  assert.equal(own.question.udpBytesMax, 1232);
});

test('replies, other operations, multiple questions and invalid names are not answered as questions', () => {
  assert.equal(readQuestion(answer([])).kind, 'noise');
  assert.equal(readQuestion(Buffer.alloc(11)).kind, 'noise');
  assert.equal(
    readQuestion(encode({ id: 7, type: 'query', flags: 0x2800, questions: [] })).kind,
    'unsupported',
  );
  const twice = { name: 'a.org', type: 'A' as const, class: 'IN' as const };
  assert.equal(
    readQuestion(encode({ id: 7, type: 'query', questions: [twice, twice] })).kind,
    'malformed',
  );
  assert.equal(readQuestion(question('evil.com\u0000.example.org')).kind, 'malformed');
  assert.equal(readQuestion(question('a b.example.org')).kind, 'malformed');
  // A name that points at itself.
  const loop = Buffer.from('000701000001000000000000c00c00010001', 'hex');
  assert.equal(readQuestion(loop).kind, 'malformed');
});

test('no input makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readQuestion(Buffer.from(bytes));
      readAnswer(Buffer.from(bytes), 'example.org');
    }),
    runs,
  );
  // Almost valid messages reach deeper code.
  const sound = answer([{ name: 'www.example.org', type: 'A', ttl: 5, data: '192.0.2.1' }]);
  fc.assert(
    fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(value, at);
      readQuestion(damaged);
      readAnswer(damaged, 'www.example.org');
    }),
    runs,
  );
});

test('aliases are followed from the queried name, and unrelated records are ignored', () => {
  const read = readAnswer(
    answer([
      { name: 'edge.cdn.test', type: 'A', ttl: 9, data: '192.0.2.1' },
      { name: 'WWW.example.org', type: 'CNAME', ttl: 30, data: 'Edge.CDN.test' },
      { name: 'other.example.org', type: 'A', ttl: 9, data: '192.0.2.66' },
      { name: 'edge.cdn.test', type: 'AAAA', ttl: 9, data: '2001:db8::1' },
    ]),
    'www.example.org',
  );
  assert.ok(read.kind === 'answered');
  assert.deepEqual(
    read.addresses.map(({ ttl }) => ttl),
    [9],
  );
  assert.deepEqual(read.chain, [
    { name: 'www.example.org', type: 'CNAME', ttl: 30, data: 'edge.cdn.test' },
    { name: 'edge.cdn.test', type: 'A', ttl: 9, data: '192.0.2.1' },
  ]);
});

test('an alias loop ends, and an alias without an address names the next query', () => {
  const round = readAnswer(
    answer([
      { name: 'www.example.org', type: 'CNAME', ttl: 1, data: 'b.test' },
      { name: 'b.test', type: 'CNAME', ttl: 1, data: 'www.example.org' },
    ]),
    'www.example.org',
  );
  assert.ok(round.kind === 'answered');
  assert.equal(round.nextAlias, 'b.test');
  assert.deepEqual(round.addresses, []);
});

test('server response codes are told apart', () => {
  assert.equal(readAnswer(answer([], 0x8183), 'www.example.org').kind, 'missing');
  assert.equal(readAnswer(answer([], 0x8182), 'www.example.org').kind, 'failed');
  assert.equal(readAnswer(answer([], 0x8380), 'www.example.org').kind, 'truncated');
});

function reply(content: Reply, asked = question('www.example.org'), bytesMax?: number) {
  const read = readQuestion(asked);
  assert.ok(read.kind === 'question');
  return decode(replyBytes(read.question, content, bytesMax)) as ReturnType<typeof decode> & {
    rcode: string;
  };
}

test('a refusal carries its reason as an extended error and as TXT', () => {
  const refused: Reply = { kind: 'refused', reason: 'coi: not on the list' };
  const plain = reply(refused);
  assert.equal(plain.rcode, 'NXDOMAIN');
  assert.equal(
    String(plain.additionals?.map((one) => ('data' in one ? one.data : ''))),
    'coi: not on the list',
  );
  const extended = reply(refused, questionBytes('www.example.org', 'A'));
  const [, opt] = (extended.additionals ?? []) as unknown as {
    options?: { code: number; data: Buffer }[];
  }[];
  assert.deepEqual(
    opt?.options?.map(({ code, data }) => [
      code,
      data.readUInt16BE(0),
      data.subarray(2).toString(),
    ]),
    [[15, 15, 'coi: not on the list']],
  );
  const text = reply(refused, question('www.example.org', 'TXT'));
  assert.equal(text.rcode, 'NOERROR');
  assert.equal(
    String(text.answers?.map((one) => ('data' in one ? one.data : ''))),
    'coi: not on the list',
  );
});

test('an answer too large for a datagram is empty and has the TC flag', () => {
  const records = Array.from({ length: 60 }, (_, index) => ({
    name: 'www.example.org',
    type: 'A' as const,
    ttl: 1,
    data: `192.0.2.${index}`,
  }));
  const short = reply({ kind: 'records', records }, question('www.example.org'), 512);
  assert.equal(short.answers?.length, 0);
  assert.equal((short as { flag_tc?: boolean }).flag_tc, true);
  assert.equal(reply({ kind: 'records', records }).answers?.length, 60);
});

test("a forwarded answer gets the question's id and is otherwise unchanged", () => {
  const read = readQuestion(question('www.example.org', 'TXT'));
  assert.ok(read.kind === 'question');
  const upstream = answer([], 0x8180);
  const bytes = forwardReply({ ...read.question, id: 4711 }, upstream);
  assert.equal(bytes.readUInt16BE(0), 4711);
  assert.deepEqual(bytes.subarray(2), upstream.subarray(2));
});
