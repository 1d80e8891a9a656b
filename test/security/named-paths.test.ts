// Goal: when the user names a path through a link that an agent planted in its workspace, the agent neither gets files that it
// cannot read nor redirects the user's files; also after its session has ended.
import assert from 'node:assert/strict';
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  makeSwapBed,
  mustCoi,
  ownDirectory,
  ownFile,
  runAsAgent,
  secret,
  startSession,
} from './swap-bed.ts';

const limit = { timeout: 240_000 };

test(
  'a linked directory cannot redirect paste, push, pull or a prompt to another session or a hidden path',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const { path } = bed.workspace;
    const other = join(bed.user.home, 'other');
    await ownDirectory(bed, other);
    await ownFile(bed, join(other, 'plan.txt'), 'of the other\n');
    const first = await startSession(bed);
    const second = await startSession(bed, '--workspace', other);
    await runAsAgent(
      bed,
      first,
      `ln -s ${other} /workspace/shots; ln -s ${bed.closed} /workspace/own`,
    );
    await runAsAgent(bed, first, 'mkdir /workspace/real && echo mine >/workspace/real/file');
    await runAsAgent(bed, first, 'ln -s real /workspace/inner; echo planted >/tmp/key');
    const [shot, key] = [join(path, 'shots/plan.txt'), join(path, 'own/secret')];
    // Control: the links do lead there.
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
      const result = await bed.coi(args);
      assert.notEqual(result.status, 0, args.join(' '));
      assert.ok(
        result.stderr.includes(
          `follows a symbolic link out of a directory that a session can write (the link may be planted): "${join(path, link)}" leads to "${target}"`,
        ),
        `${args.join(' ')}: ${result.stderr}`,
      );
    };
    for (const attack of attacks) await refused(attack);
    assert.doesNotMatch(
      await runAsAgent(bed, first, 'ls /tmp ~/drop 2>/dev/null || :'),
      /plan|secret|^x$/m,
    );
    assert.deepEqual(await readdir(bed.closed), ['secret']);
    assert.deepEqual(await readdir(other), ['plan.txt']);
    // The user's own paths work: by name, by the user's link, through a link that stays inside, and the session's own files.
    await symlink(other, join(bed.user.home, 'linked'));
    await mustCoi(bed, 'paste', first, join(other, 'plan.txt'));
    await mustCoi(
      bed,
      'file',
      'push',
      join(bed.user.home, 'linked/plan.txt'),
      `${first}:/tmp/linked`,
    );
    await mustCoi(bed, 'file', 'push', '-r', join(path, 'inner'), `${second}:/tmp/inner`);
    await mustCoi(bed, 'file', 'push', shot, `${second}:/tmp/shot`);
    await mustCoi(bed, 'file', 'pull', `${first}:/tmp/key`, join(path, 'inner/key'));
    await mustCoi(bed, ...spec, join(bed.user.home, 'linked/plan.txt'));
    // Files left by an agent stay there.
    await mustCoi(bed, 'kill', first);
    for (const attack of attacks.filter(([args]) => args.join(' ').includes(second)))
      await refused(attack);
    await refused([[...spec, shot], 'shots', join(other, 'plan.txt')]);
  },
);

const sessionId = '6ce1bd84-9f0d-4b51-8d4f-0a2c4cf6f1aa';
