// Detects command lines that open a remote shell. Text alone proves little (somebody may grep for it or write it to a
// file), so it is critical only if the container has a connection to the address in the text.
import { isIP } from 'node:net';
import { classifyAddress } from '../addresses.ts';
import { commandLine, isInterpreter, isRelay, isShell, runsInline } from '../programs.ts';
import type { Process, Sample } from '../sample.ts';
import type { Level } from '../threat.ts';
import type { Detector } from './detector.ts';
import { peer } from './reverse-shell.ts';

/**
 * Matches if `by` accepts the program, all `words` occur on its command line and `target` finds the address. Separate
 * patterns keep the time linear, which matters since the attacker controls the text.
 */
interface Pattern {
  readonly name: string;
  readonly by: (task: Program) => boolean;
  readonly words: readonly RegExp[];
  readonly target: RegExp;
}

type Program = Pick<Process, 'argv' | 'exe' | 'comm'>;

const address = String.raw`(?<host>\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+|(?:[a-z0-9-]+\.)+[a-z]{2,})`;
const port = String.raw`(?<port>\d{1,5})\b`;
const targetPattern = (text: string): RegExp => new RegExp(text, 'i');
/** `echo > /dev/tcp/db/5432` merely waits for a service; a shell with its streams redirected there is suspicious. */
const shellOnStreams =
  /\b(?:ba|da|z|k)?sh(?:\s+-\w+)*\s+(?:[012]?[<>]&|[012]?[<>]\s*\/dev\/)|\b0[<>]&\d|\bread\s+\w+\s*;\s*do\s+\$\w/;

const patterns: readonly Pattern[] = [
  {
    name: 'a shell redirected to /dev/tcp',
    by: isShell,
    words: [shellOnStreams],
    target: targetPattern(`/dev/(?:tcp|udp)/${address}/${port}`),
  },
  {
    name: 'nc with a program to run',
    by: isRelay,
    words: [/\s-(?:[a-z]*[ec]|-exec|-sh-exec)\b/],
    target: targetPattern(String.raw`\s${address}\s+${port}`),
  },
  {
    name: 'nc in a loop of pipes',
    by: isShell,
    words: [/\bmkfifo\b/, /\b(?:sh|bash)\b/, /\b(?:nc|ncat|netcat|telnet)\b/],
    target: targetPattern(String.raw`\s${address}\s+${port}`),
  },
  {
    name: 'socat with a program to run',
    by: isRelay,
    words: [/\b(?:exec|system):/i],
    target: targetPattern(
      String.raw`\b(?:tcp[46]?|openssl|udp[46]?)(?:-connect)?:${address}:${port}`,
    ),
  },
  {
    name: 'a script that connects and starts a shell',
    by: runsInline,
    words: [
      /socket|fsockopen|net\.connect|inet_aton/i,
      /\b(?:sh|bash|zsh)\b/,
      /dup2|pty|subprocess|popen|spawn|exec|system|reopen/i,
    ],
    target: targetPattern(String.raw`["']${address}["']\s*[,:)]\s*["']?${port}`),
  },
  {
    name: 'awk over the network',
    by: isInterpreter,
    words: [/\|&|getline/],
    target: targetPattern(String.raw`/inet/(?:tcp|udp)/\d+/${address}/${port}`),
  },
  {
    name: 'openssl s_client with a shell',
    by: isShell,
    words: [/\bmkfifo\b/, /\bopenssl\s+s_client\b/, /\b(?:sh|bash)\b/],
    target: targetPattern(String.raw`-connect\s+${address}:${port}`),
  },
];
const textMax = 2048;

export const oneLiners: Detector = ({ now, settings }) => {
  if (settings.oneLiners === 'off') return [];
  return now.processes.flatMap((task) => {
    const found = matchOf(task);
    if (!found) return [];
    const connected = connectionTo(now, found);
    const level: Level = connected && settings.oneLiners === 'critical' ? 'critical' : 'warning';
    return [
      {
        level,
        category: 'process' as const,
        title: connected
          ? 'Command line of a reverse shell, connected'
          : 'Command line that looks like a reverse shell',
        description: `${task.comm} (pid ${task.pid}) was started with: ${found.name}, towards ${found.host}:${found.port}.`,
        evidence: {
          process: { pid: task.pid, program: task.exe, command: commandLine(task) },
          network: { remote: `${found.host}:${found.port}`, connected: connected ?? null },
        },
        key: `${task.pid}.${task.startTicks}`,
      },
    ];
  });
};

interface Match {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The target in a command line; undefined for ordinary ones and for targets in the container itself. */
export function matchOf(task: Program): Match | undefined {
  const text = task.argv.join(' ').slice(0, textMax);
  // No pattern matches a short line, and nearly all lines are short, so this keeps the detector cheap.
  if (text.length < 12) return undefined;
  for (const { name, by, words, target: wanted } of patterns) {
    if (!by(task) || !words.every((word) => word.test(text))) continue;
    const { host, port } = wanted.exec(text)?.groups ?? {};
    if (host === undefined || port === undefined || !isPort(Number(port))) continue;
    if (isIP(host) === 0 || classifyAddress(host) !== 'self')
      return { name, host, port: Number(port) };
  }
  return undefined;
}

function isPort(value: number): boolean {
  return value > 0 && value < 65_536;
}

/** A host name matches any address, since only the container knows how it was resolved. */
function connectionTo(now: Sample, { host, port }: Match): string | undefined {
  const named = isIP(host) === 0;
  const found = now.connections.find(
    ({ remoteAddress, remotePort, protocol }) =>
      protocol === 'tcp' && remotePort === port && (named || remoteAddress === host),
  );
  return found && peer(found);
}
