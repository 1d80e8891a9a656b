// Goal: the first ssh to a well-known git server asks no question that an agent cannot answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { makeBed } from '../bed/bed.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;

const script = `set -eu
for host in github.com gitlab.com bitbucket.org codeberg.org; do
  ssh-keygen -F "$host" -f /etc/ssh/ssh_known_hosts >/dev/null && echo "$host known"
done
stat -c '%U %a' /etc/ssh/ssh_known_hosts
ssh -G github.com | grep '^globalknownhostsfile'`;

test('the image has host keys of well-known git servers where ssh looks for them', {
  timeout: 120_000,
}, async () => {
  await using bed = await makeBed();
  const result = await bed.coi(['run', '--image', image, '--', 'sh', '-c', script]);
  assert.equal(result.status, 0, result.stderr);
  assert.match(
    result.stdout,
    /^github\.com known\ngitlab\.com known\nbitbucket\.org known\ncodeberg\.org known\nroot 644\n/,
  );
  assert.match(result.stdout, /^globalknownhostsfile .*\/etc\/ssh\/ssh_known_hosts/m);
});
