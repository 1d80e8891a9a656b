// Program for hostwatch.ts: scans /proc for secrets with the rights of the account that runs it.
// First line of stdin: the secrets as JSON. Then it scans every 20 ms, and answers a line `scan` with `scanned`
// after a later scan. Ends with its stdin.
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const intervalMs = 20;
/** A new process is checked in each of its first scans (it may exec), then in every tenth. */
const eagerScans = 3;

let secrets: string[] | undefined;
let round = 0;
let scanCounts = new Map<string, number>();
const reported = new Set<string>();

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (secrets === undefined) {
      secrets = JSON.parse(line) as string[];
      setInterval(scan, intervalMs);
      return;
    }
    scan();
    process.stdout.write('scanned\n');
  })
  .on('close', () => process.exit(0));

function scan(): void {
  round += 1;
  const still = new Map<string, number>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const times = scanCounts.get(pid) ?? 0;
    still.set(pid, times + 1);
    if (times >= eagerScans && (round + Number(pid)) % 10 !== 0) continue;
    inspect(pid, 'cmdline');
    inspect(pid, 'environ');
  }
  scanCounts = still;
}

function inspect(pid: string, where: 'cmdline' | 'environ'): void {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/${where}`, 'utf8');
  } catch {
    // It ended meanwhile, or this account may not read it, like any outsider.
    return;
  }
  if (!secrets?.some((secret) => text.includes(secret))) return;
  const key = `${pid} ${where} ${text}`;
  if (reported.has(key)) return;
  reported.add(key);
  process.stdout.write(
    `${JSON.stringify({ where, pid: Number(pid), text: text.replaceAll('\0', ' ') })}\n`,
  );
}
