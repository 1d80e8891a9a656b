import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NftError, openNft } from './nft.ts';
import { echoMismatch } from './nft-output.ts';

const element = { add: { element: { family: 'inet', table: 't', name: 's', elem: ['a'] } } };
const rule = (handle?: number) => ({
  add: { rule: { family: 'inet', table: 't', chain: 'c', expr: [{ drop: null }], handle } },
});
const counter = { add: { counter: { family: 'inet', table: 't', name: 'n' } } };
const text = (...commands: unknown[]) => JSON.stringify({ nftables: commands });

/** A shell script as nft. Its file `read` contains the rest of stdin from the current position. */
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

test('an nft that reads on from the current position of stdin reads every command', async () => {
  using host = standIn('cat read');
  const commands = Array.from({ length: 5000 }, () => element);
  await host.nft.apply(commands);
  assert.equal(host.read(), text(...commands));
  assert.deepEqual(host.left(), ['nft', 'read']);
});

test('an nft that reads no command and exits with 0 has not applied the rules', async () => {
  using host = standIn('');
  await assert.rejects(host.nft.apply([element]), (error) => {
    assert.ok(error instanceof NftError);
    assert.equal(error.code, 'network-unprotected');
    assert.match(error.message, /did not apply the rules: its output is empty/);
    return true;
  });
  await assert.rejects(
    host.nft.apply([element], () => false),
    /succeeded, but the kernel does not have them/,
  );
});

test("the kernel's confirmation suffices without an echo; a kernel that cannot be queried proves nothing", async () => {
  using host = standIn('');
  await host.nft.apply([element], () => true);
  const refuse = () => {
    throw new Error('no netlink');
  };
  await assert.rejects(host.nft.apply([element], refuse), /not apply the rules: no netlink/);
});

test('a listing that is empty or lacks an existing table is an error, not an empty table', async () => {
  using silent = standIn('');
  await assert.rejects(
    silent.nft.table('inet', 't'),
    /did not list the rules: its output is empty/,
  );
  // The table is only in the list of all tables.
  using lacking = standIn(
    `grep -q '"tables"' read && table=',{"table":{"family":"inet","name":"t"}}'\necho '{"nftables":[{"metainfo":{}}'"$table"']}'`,
  );
  await assert.rejects(lacking.nft.table('inet', 't'), /its output lacks the table t/);
  assert.deepEqual(await lacking.nft.table('inet', 'other'), []);
});

test('an echo confirms only if it has all commands in order, with a handle for each rule', () => {
  assert.equal(echoMismatch([element, rule()], text(element, rule(7))), undefined);
  // An object that existed before may have no handle.
  assert.equal(echoMismatch([counter], text(counter)), undefined);
  const wrong: [readonly unknown[], string, RegExp][] = [
    [[element], '', /is empty/],
    [[element], 'ok', /is not nft JSON/],
    [[element], '{}', /is not nft JSON/],
    [[element, counter], text(element), /read 1 of 2 commands/],
    [[element, counter], text(counter, element), /command 1 of 2 differs/],
    [[counter, rule()], text(counter, rule()), /no handle to the rule of command 2 of 2/],
    [[{ insert: rule().add }], text({ insert: rule().add }), /no handle/],
    [[{ delete: element.add }], text(element), /command 1 of 1 differs/],
  ];
  for (const [commands, echo, why] of wrong) assert.match(echoMismatch(commands, echo) ?? '', why);
});
