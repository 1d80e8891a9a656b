// Probes that run inside a session, by name.

/** Scripts that print the content of hidden files if they can. `$own` gives them their own mount namespace. */
export const hiddenFileProbes: Readonly<Record<string, string>> = {
  'reads it': 'cat /workspace/.env',
  'reads a file deep below': 'cat /workspace/deep/down/server.pem',
  'reads a hidden directory': 'cat /workspace/keys/*',
  'reads it through a linked directory and by name':
    'cat /workspace/config/token; cat /workspace/conf/token',
  'reads the target of a link': 'cat /workspace/.linked; cat /workspace/one',
  'goes through /proc': 'cat /proc/self/root/proc/self/root/workspace/.env',
  'copies the directory': 'rm -rf /tmp/copied; cp -r /workspace /tmp/copied; cat /tmp/copied/.env',
  'links to it': 'cd /workspace; ln .env linked; cat linked; rm -f linked',
  'reads it with git':
    'export GIT_DIR=/tmp/repository; rm -rf $GIT_DIR; git init -q; cd /workspace; git --work-tree=. add -f .env; git show :.env',
  'unmounts it in its own namespace': '$own sh -c "umount /workspace/.env; cat /workspace/.env"',
  'binds the workspace to another path':
    '$own sh -c "mount -t tmpfs t /mnt; mkdir /mnt/b; mount --rbind /workspace /mnt/b; umount /mnt/b/.env; cat /mnt/b/.env"',
};

/** System calls by number (x86-64) with arguments that fail harmlessly, for perl's syscall. */
export const deniedCalls: Readonly<Record<string, string>> = {
  io_uring_setup: '425, 0, 0',
  io_uring_enter: '426, -1, 0, 0, 0, 0, 0',
  io_uring_register: '427, -1, 0, 0, 0',
  bpf: '321, 0, 0, 0',
  userfaultfd: '323, -1',
  keyctl: '250, 0, 0, 0',
  add_key: '248, 0, 0, 0, 0, 0',
  request_key: '249, 0, 0, 0, 0',
  perf_event_open: '298, 0, 0, 0, 0, 0',
};

/** The same calls by their numbers in 32-bit programs (i386). */
export const deniedCalls32: Readonly<Record<string, number>> = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  bpf: 357,
  userfaultfd: 374,
  keyctl: 288,
  add_key: 286,
  request_key: 287,
  perf_event_open: 336,
};

/**
 * For three seconds, finds processes whose program is not one of this container (they enter it from the host). Of those, counts
 * programs that are writable, and roots that show more than this container's. Prints the counts as JSON.
 */
export const entryWatcher = `perl -MTime::HiRes=time -e '
  my $mine = join(":", (stat "/")[0, 1]); my %n = (entering => 0, writable => 0, root => 0);
  for (my $end = time + 3; time < $end;) {
    opendir(my $d, "/proc"); my @pids = grep { /^\\d+$/ } readdir $d; closedir $d;
    for my $p (@pids) {
      my $to = readlink "/proc/$p/exe"; next unless ($to // "") =~ /incusd/ && !-e $to;
      $n{entering}++; $n{writable}++ if open(my $exe, "+<", "/proc/$p/exe");
      my @root = stat "/proc/$p/root/"; $n{root}++ if @root && join(":", @root[0, 1]) ne $mine;
    }
  }
  print "{", join(",", map { "\\"$_\\":$n{$_}" } sort keys %n), "}"'`;
