import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NftError, openNft } from './nft.ts';
import { unconfirmed } from './nft-answer.ts';

const element = { add: { element: { family: 'inet', table: 't', name: 's', elem: ['a'] } } };
const rule = (handle?: number) => ({
  add: { rule: { family: 'inet', table: 't', chain: 'c', expr: [{ drop: null }], handle } },
});
const counter = { add: { counter: { family: 'inet', table: 't', name: 'n' } } };
const text = (...commands: unknown[]) => JSON.stringify({ nftables: commands });

/** An nft that is a shell script. It finds what it reads from its standard input's position on in the file `read`. */
function standIn(script: string) {
  const directory = mkdtempSync(join(tmpdir(), 'coit-nft-'));
  const program = join(directory, 'nft');
  writeFileSync(program, `#!/bin/sh\ncd ${directory}\ncat > read\n${script}\n`);
  chmodSync(program, 0o755);
  return {
    nft: openNft({ scratchDir: directory, program }),
    read: () => readFileSync(join(directory, 'read'), 'utf8'),
    left: () => readdirSync(directory).sort(),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test('an nft that reads on from the position of its standard input reads every command', async () => {
  using host = standIn('cat read');
  const commands = Array.from({ length: 5000 }, () => element);
  await host.nft.apply(commands);
  assert.equal(host.read(), text(...commands));
  assert.deepEqual(host.left(), ['nft', 'read']);
});

test('an nft that reads no command and ends with status 0 has not applied the rules', async () => {
  using host = standIn('');
  await assert.rejects(host.nft.apply([element]), (error) => {
    assert.ok(error instanceof NftError);
    assert.equal(error.code, 'network-unprotected');
    assert.match(error.message, /did not put the rules in force: its answer is empty/);
    return true;
  });
  await assert.rejects(
    host.nft.apply([element], () => false),
    /ended without an error, but the kernel has none of them/,
  );
});

test('the word of the kernel is enough without an echo, and a kernel that cannot be asked proves nothing', async () => {
  using host = standIn('');
  await host.nft.apply([element], () => true);
  const refuse = () => {
    throw new Error('no netlink');
  };
  await assert.rejects(host.nft.apply([element], refuse), /not put the rules in force: no netlink/);
});

test('a listing that is empty, or lacks the table that there is, is an error and not an empty table', async () => {
  using silent = standIn('');
  await assert.rejects(
    silent.nft.table('inet', 't'),
    /did not list the rules: its answer is empty/,
  );
  // The table is only named in the list of all tables.
  using lacking = standIn(
    `grep -q '"tables"' read && table=',{"table":{"family":"inet","name":"t"}}'\necho '{"nftables":[{"metainfo":{}}'"$table"']}'`,
  );
  await assert.rejects(lacking.nft.table('inet', 't'), /its answer lacks the table t/);
  assert.deepEqual(await lacking.nft.table('inet', 'other'), []);
});

test('an echo confirms what was asked only if it holds all of it, in its order, with a handle for each rule', () => {
  assert.equal(unconfirmed([element, rule()], text(element, rule(7))), undefined);
  // An object that was there before may come without a handle.
  assert.equal(unconfirmed([counter], text(counter)), undefined);
  const wrong: [readonly unknown[], string, RegExp][] = [
    [[element], '', /is empty/],
    [[element], 'ok', /is not its JSON/],
    [[element], '{}', /is not its JSON/],
    [[element, counter], text(element), /read 1 of 2 commands/],
    [[element, counter], text(counter, element), /command 1 of 2 is another one/],
    [[counter, rule()], text(counter, rule()), /no handle to the rule of command 2 of 2/],
    [[{ insert: rule().add }], text({ insert: rule().add }), /no handle/],
    [[{ delete: element.add }], text(element), /command 1 of 1 is another one/],
  ];
  for (const [commands, echo, why] of wrong) assert.match(unconfirmed(commands, echo) ?? '', why);
});
