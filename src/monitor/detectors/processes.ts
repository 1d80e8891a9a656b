// Detects too many processes, and too many new ones.
import { baseName } from '../programs.ts';
import type { Process } from '../sample.ts';
import type { Detector } from './detector.ts';

/** Beyond any build: `make -j` and test runners have tens to a few hundred processes, which do not double in seconds. */
const bombProcesses = 1000;
const bombGrowth = 500;
const hopeless = 4000;

export const forkBomb: Detector = ({ now, before, settings }) => {
  const growth = now.processCount - before.processCount;
  const limit = settings.processes;
  const tooMany =
    limit === undefined
      ? now.processCount >= hopeless || (now.processCount >= bombProcesses && growth >= bombGrowth)
      : now.processCount > limit;
  if (!tooMany) return [];
  const most = commonest(now.processes);
  return [
    {
      level: 'critical',
      category: 'process',
      title: limit === undefined ? 'Fork bomb' : 'Too many processes',
      description: `The container has ${now.processCount} processes, ${Math.max(0, growth)} more than in the last scan${most ? `; most of them are ${most.name}` : ''}.`,
      evidence: {
        process: { count: now.processCount, growth, limit: limit ?? null, commonest: most ?? null },
      },
      key: 'count',
    },
  ];
};

export const spawnRate: Detector = ({ change, settings }) => {
  const limit = settings.spawnsPerSecond;
  const rate = (change.spawned * 1000) / change.elapsedMs;
  if (limit === undefined || rate <= limit) return [];
  return [
    {
      level: 'critical',
      category: 'process',
      title: 'Too many new processes',
      description: `${Math.round(rate)} processes were started each second; ${limit} are allowed.`,
      evidence: { process: { spawned: change.spawned, perSecond: Math.round(rate), limit } },
      key: 'rate',
    },
  ];
};

function commonest(processes: readonly Process[]): { name: string; count: number } | undefined {
  const counts = new Map<string, number>();
  for (const { exe, comm } of processes) {
    const name = baseName(exe) || comm;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([, one], [, other]) => other - one);
  return first && { name: first[0], count: first[1] };
}
