// The table and the charts of docs/scale.md. Pure.
import type { Level, ScaleResult } from './scale.ts';

const marks = ['<!-- measured: bench -- --scale -->', '<!-- end -->'] as const;

/** The page with its measured part replaced. */
export function scalePage(page: string, result: ScaleResult, machine: readonly string[]): string {
  const [from, to] = [page.indexOf(marks[0]), page.indexOf(marks[1])];
  if (from < 0 || to < from)
    throw new Error(`docs/scale.md has no part between ${marks.join(' and ')}`);
  const measured = [marks[0], '', ...measuredLines(result, machine), ''].join('\n');
  return `${page.slice(0, from)}${measured}${page.slice(to)}`;
}

export function measuredLines(
  { levels, attachedPeakMiB, tenAtOnceMs }: ScaleResult,
  machine: readonly string[],
): string[] {
  const rows: [string, (level: Level) => string][] = [
    ['start of one more session, median', ({ startMs }) => `${(startMs / 1000).toFixed(2)} s`],
    [
      'start of one more session, slowest',
      ({ slowestStartMs }) => `${(slowestStartMs / 1000).toFixed(2)} s`,
    ],
    ['`coi list`', ({ listMs }) => `${(listMs / 1000).toFixed(3)} s`],
    ['`incus list`', ({ incusListMs }) => `${(incusListMs / 1000).toFixed(3)} s`],
    ['host memory per session', ({ hostMiBPerSession }) => mib(hostMiBPerSession)],
    ['container memory, as Incus counts', ({ containerMiB }) => mib(containerMiB)],
    ['coid, memory', ({ coidMiB }) => mib(coidMiB)],
    ['coid, share of one core', ({ coidCorePercent }) => `${coidCorePercent.toFixed(2)} %`],
  ];
  return [
    ...machine.map((line) => `- ${line}`),
    '',
    `| sessions at once | ${levels.map(({ sessions }) => sessions).join(' | ')} |`,
    `|---|${levels.map(() => '---|').join('')}`,
    ...rows.map(([name, of]) => `| ${name} | ${levels.map(of).join(' | ')} |`),
    '',
    `${tenAtOnceMs === undefined ? '' : `Ten \`coi shell --background\` at once: ${(tenAtOnceMs / 1000).toFixed(2)} s until the last one returns. `}An attached \`coi shell\`, after 2 MB of output: at most ${mib(attachedPeakMiB)}.`,
    '',
    '![Charts of the table](scale.svg)',
  ];
}

const mib = (value: number) => `${value.toFixed(0)} MiB`;

interface Curve {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly { name: string; colour: string; of: (level: Level) => number }[];
}

const curves: readonly Curve[] = [
  {
    title: 'starting one more',
    unit: 's',
    lines: [
      { name: 'median', colour: '#2563eb', of: ({ startMs }) => startMs / 1000 },
      { name: 'slowest', colour: '#9ca3af', of: ({ slowestStartMs }) => slowestStartMs / 1000 },
    ],
  },
  {
    title: 'listing',
    unit: 's',
    lines: [
      { name: 'coi list', colour: '#2563eb', of: ({ listMs }) => listMs / 1000 },
      { name: 'incus list', colour: '#9ca3af', of: ({ incusListMs }) => incusListMs / 1000 },
    ],
  },
  {
    title: 'memory of all sessions',
    unit: 'GiB',
    lines: [
      {
        name: 'host',
        colour: '#2563eb',
        of: ({ hostMiBPerSession, sessions }) => (hostMiBPerSession * sessions) / 1024,
      },
    ],
  },
  {
    title: 'coid',
    unit: 'MiB',
    lines: [{ name: 'in memory', colour: '#2563eb', of: ({ coidMiB }) => coidMiB }],
  },
];

const box = { width: 190, height: 130, gap: 40, left: 44, top: 34 };

/**
 * Four small charts side by side: sessions on the x axis from 0, and linear axes, so that linear cost is a straight
 * line.
 */
export function scaleSvg(levels: readonly Level[]): string {
  const width = box.left + curves.length * (box.width + box.gap);
  const height = box.top + box.height + 44;
  const parts = curves.map((curve, index) =>
    chart(curve, levels, box.left + index * (box.width + box.gap)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function chart({ title, unit, lines }: Curve, levels: readonly Level[], left: number): string {
  const most = roundUp(Math.max(...lines.flatMap(({ of }) => levels.map(of))));
  const widest = Math.max(...levels.map(({ sessions }) => sessions));
  const x = (sessions: number) => left + (sessions / widest) * box.width;
  const y = (value: number) => box.top + box.height - (value / most) * box.height;
  const grid = [0, most / 2, most].map(
    (value) =>
      `<path d="M${left} ${round(y(value))}h${box.width}" stroke="#e5e7eb"/><text x="${left - 5}" y="${round(y(value) + 4)}" text-anchor="end" fill="#6b7280">${round(value)}</text>`,
  );
  const ticks = levels.map(
    ({ sessions }) =>
      `<text x="${round(x(sessions))}" y="${box.top + box.height + 15}" text-anchor="middle" fill="#6b7280">${sessions}</text>`,
  );
  const paths = lines.map(({ colour, of }) => {
    const points = levels.map((level) => `${round(x(level.sessions))},${round(y(of(level)))}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  const names = lines.map(
    ({ name, colour }, index) =>
      `<text x="${left + index * 70}" y="${box.top + box.height + 34}" fill="${colour}">${name}</text>`,
  );
  return [
    `<text x="${left}" y="18" font-weight="bold" fill="#111827">${title} (${unit})</text>`,
    ...grid,
    ...ticks,
    ...paths,
    ...names,
  ].join('\n');
}

/** 1, 2 or 5 times a power of ten, at or above the value. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

const round = (value: number) => Number(value.toFixed(value < 10 ? 2 : 1));
