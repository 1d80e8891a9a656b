// A program for hostwatch.ts: looks through /proc for secrets, as the account that runs it sees it.
// First line of stdin: the secrets, as JSON. Then it looks every 20 ms, and a line `scan` is answered with `scanned`
// after a look that began later. Ends with its stdin.
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const intervalMs = 20;
/** A process that was looked at is looked at again in the next looks (it may exec), then in every tenth. */
const eagerLooks = 3;

let secrets: string[] | undefined;
let round = 0;
let looks = new Map<string, number>();
const told = new Set<string>();

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (secrets === undefined) {
      secrets = JSON.parse(line) as string[];
      setInterval(look, intervalMs);
      return;
    }
    look();
    process.stdout.write('scanned\n');
  })
  .on('close', () => process.exit(0));

function look(): void {
  round += 1;
  const still = new Map<string, number>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const times = looks.get(pid) ?? 0;
    still.set(pid, times + 1);
    if (times >= eagerLooks && (round + Number(pid)) % 10 !== 0) continue;
    inspect(pid, 'cmdline');
    inspect(pid, 'environ');
  }
  looks = still;
}

function inspect(pid: string, where: 'cmdline' | 'environ'): void {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/${where}`, 'utf8');
  } catch {
    // Ended meanwhile, or not for this account to read: exactly what an outsider sees.
    return;
  }
  if (!secrets?.some((secret) => text.includes(secret))) return;
  const key = `${pid} ${where} ${text}`;
  if (told.has(key)) return;
  told.add(key);
  process.stdout.write(
    `${JSON.stringify({ where, pid: Number(pid), text: text.replaceAll('\0', ' ') })}\n`,
  );
}
