// What is tried inside of a session, by name.

/** Scripts that print what is in hidden files, if they can. `$own` gives them a mount namespace of their own. */
export const waysToHidden: Readonly<Record<string, string>> = {
  'reads it': 'cat /workspace/.env',
  'reads what lies deep': 'cat /workspace/deep/down/server.pem',
  'reads what lies in a hidden directory': 'cat /workspace/keys/*',
  'goes through /proc': 'cat /proc/self/root/proc/self/root/workspace/.env',
  'copies the directory': 'rm -rf /tmp/copied; cp -r /workspace /tmp/copied; cat /tmp/copied/.env',
  'links to it': 'cd /workspace; ln .env linked; cat linked; rm -f linked',
  'lets git see it':
    'export GIT_DIR=/tmp/repository; rm -rf $GIT_DIR; git init -q; cd /workspace; git --work-tree=. add -f .env; git show :.env',
  'takes it away in a namespace of its own':
    '$own sh -c "umount /workspace/.env; cat /workspace/.env"',
  'binds the workspace elsewhere':
    '$own sh -c "mount -t tmpfs t /mnt; mkdir /mnt/b; mount --rbind /workspace /mnt/b; umount /mnt/b/.env; cat /mnt/b/.env"',
};

/** System calls by number (x86-64) and arguments that fail harmlessly, for perl's syscall. */
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
