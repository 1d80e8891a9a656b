// Goal: a link that an agent made in its workspace does not bring it what it cannot read, when the user names a path that
// leads over it, nor lets it say where the user's files go; also where its session has ended.
import assert from 'node:assert/strict';
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { agent, ok, ownDirectory, ownFile, secret, session, swapBed } from './swap-bed.ts';

const limit = { timeout: 240_000 };

test(
  "a linked directory leads paste, push, pull and a prompt neither to another session's workspace nor to what is closed",
  limit,
  async () => {
    await using bed = await swapBed();
    const { path } = bed.workspace;
    const other = join(bed.user.home, 'other');
    await ownDirectory(bed, other);
    await ownFile(bed, join(other, 'plan.txt'), 'of the other\n');
    const first = await session(bed);
    const second = await session(bed, '--workspace', other);
    await agent(bed, first, `ln -s ${other} /workspace/shots; ln -s ${bed.closed} /workspace/own`);
    await agent(bed, first, 'mkdir /workspace/real && echo mine >/workspace/real/file');
    await agent(bed, first, 'ln -s real /workspace/inner; echo planted >/tmp/key');
    const [shot, key] = [join(path, 'shots/plan.txt'), join(path, 'own/secret')];
    // The control: the links do lead there.
    for (const [named, text] of [
      [shot, 'of the other\n'],
      [key, secret],
    ] as const)
      assert.equal((await bed.user.run(['cat', named])).stdout, text);
    const spec = ['tool', 'spec', '--container', 'c', '--session-id', sessionId, '--prompt-file'];
    const attacks: readonly (readonly [readonly string[], string, string])[] = [
      [['paste', first, shot], 'shots', join(other, 'plan.txt')],
      [['paste', first, key], 'own', join(bed.closed, 'secret')],
      [['paste', second, key], 'own', join(bed.closed, 'secret')],
      [['file', 'push', shot, `${first}:/tmp/x`], 'shots', join(other, 'plan.txt')],
      [['file', 'push', '-r', join(path, 'shots'), `${first}:/tmp`], 'shots', other],
      [['file', 'push', key, `${second}:/tmp/x`], 'own', join(bed.closed, 'secret')],
      [[...spec, shot], 'shots', join(other, 'plan.txt')],
      [['file', 'pull', `${first}:/tmp/key`, join(path, 'own/key')], 'own', bed.closed],
      [['file', 'pull', `${first}:/tmp/key`, join(path, 'shots/key')], 'shots', other],
    ];
    const refused = async ([args, link, target]: (typeof attacks)[number]) => {
      const said = await bed.coi(args);
      assert.notEqual(said.status, 0, args.join(' '));
      assert.ok(
        said.stderr.includes(
          `leads over a symbolic link out of a directory that a session can write, which could have placed it: "${join(path, link)}" leads to "${target}"`,
        ),
        `${args.join(' ')}: ${said.stderr}`,
      );
    };
    for (const attack of attacks) await refused(attack);
    assert.doesNotMatch(
      await agent(bed, first, 'ls /tmp ~/drop 2>/dev/null || :'),
      /plan|secret|^x$/m,
    );
    assert.deepEqual(await readdir(bed.closed), ['secret']);
    assert.deepEqual(await readdir(other), ['plan.txt']);
    // What the user means goes on: by its own name, by an own link, over a link that stays, and what the session has.
    await symlink(other, join(bed.user.home, 'linked'));
    await ok(bed, 'paste', first, join(other, 'plan.txt'));
    await ok(bed, 'file', 'push', join(bed.user.home, 'linked/plan.txt'), `${first}:/tmp/linked`);
    await ok(bed, 'file', 'push', '-r', join(path, 'inner'), `${second}:/tmp/inner`);
    await ok(bed, 'file', 'push', shot, `${second}:/tmp/shot`);
    await ok(bed, 'file', 'pull', `${first}:/tmp/key`, join(path, 'inner/key'));
    await ok(bed, ...spec, join(bed.user.home, 'linked/plan.txt'));
    // What an agent left stays there.
    await ok(bed, 'kill', first);
    for (const attack of attacks.filter(([args]) => args.join(' ').includes(second)))
      await refused(attack);
    await refused([[...spec, shot], 'shots', join(other, 'plan.txt')]);
  },
);

const sessionId = '6ce1bd84-9f0d-4b51-8d4f-0a2c4cf6f1aa';
