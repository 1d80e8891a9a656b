// A login sync that is killed at its Nth call that changes files. Run as
// `killed-login-sync.ts HOME SESSION ACCESS NUMBER`; prints the number of calls if it completes.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [home = '', session = '', access = '', number = ''] = process.argv.slice(2);
const calls = [
  'openSync',
  'writeSync',
  'fchmodSync',
  'fchownSync',
  'fsyncSync',
  'renameSync',
  'mkdirSync',
  'rmdirSync',
  'unlinkSync',
] as const;
let count = 0;

for (const name of calls) {
  const real = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      const flags = typeof args[1] === 'number' ? args[1] : 0;
      if (name === 'openSync' && (flags & fs.constants.O_CREAT) === 0) return real(...args);
      count += 1;
      const result = real(...args);
      if (count === Number(number)) process.kill(process.pid, 'SIGKILL');
      return result;
    },
  });
}
syncBuiltinESMExports();

// Imported only now, so that the imported modules get the patched calls.
const { hostFiles } = await import('../../src/host/fs/host-files.ts');
const { claudeLogin } = await import('../../src/logins/formats/claude.ts');
const { runLoginSync } = await import('../../src/logins/sync.ts');

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const request = { file: claudeLogin, home, owner, live: [session], ended: [] };
const kept = await runLoginSync(request, {
  files: hostFiles,
  ask: async ({ headers }) =>
    headers['authorization'] === `Bearer ${access}`
      ? { account: 'me us', name: 'me@example.org' }
      : 'refused',
  now: () => new Date(),
  exclusively: async (effect) => effect(),
  pause: async () => undefined,
});
process.stdout.write(`${kept} ${count}\n`);
