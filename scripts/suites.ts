// Which test folders there are. Their files run side by side, as many at a time as `scripts/test.ts` says.

export interface Suite {
  readonly folder: string;
  /** Minutes until one file of it is given up. */
  readonly limitMinutes: number;
  /** Its files run one after the other: they share the routes to a pretend internet, or one of them fills the machine. */
  readonly serial?: true;
  /** The image that it needs besides the one of the tests; built while other suites run. It takes minutes when it is missing. */
  readonly image?: 'coi-default';
}

/** Unit tests lie beside the code; these need no Incus and are part of `npm run check`. */
export const checkGlobs = ['src/**/*.test.ts', 'test/tidy/*.test.ts', 'test/fakes/**/*.test.ts'];

export const suites: readonly Suite[] = [
  { folder: 'test/bed', limitMinutes: 5 },
  { folder: 'test/contract', limitMinutes: 5 },
  { folder: 'test/cli', limitMinutes: 10 },
  // Two images of hosts with Debian's own npm are made when they are missing.
  { folder: 'test/package', limitMinutes: 25 },
  { folder: 'test/handoff', limitMinutes: 5 },
  { folder: 'test/docs', limitMinutes: 10 },
  { folder: 'test/incus', limitMinutes: 10 },
  { folder: 'test/terminal', limitMinutes: 10 },
  { folder: 'test/lifecycle', limitMinutes: 15 },
  { folder: 'test/network', limitMinutes: 10, serial: true },
  { folder: 'test/security', limitMinutes: 10 },
  { folder: 'test/trees', limitMinutes: 10 },
  { folder: 'test/faults', limitMinutes: 15 },
  // A whole host in a container; its image is made when it is missing, which takes a minute.
  { folder: 'test/hosts', limitMinutes: 20, serial: true },
  { folder: 'test/agents', limitMinutes: 10, serial: true, image: 'coi-default' },
  { folder: 'test/image', limitMinutes: 20, image: 'coi-default' },
];

/** Files that take about a minute: they start first. */
export const longFiles: readonly string[] = [
  'test/faults/hung-files.test.ts',
  'test/incus/run-ends.test.ts',
  'test/terminal/interrupted-start.test.ts',
  'test/package/debian-node.test.ts',
  'test/faults/setup-remove.test.ts',
  'test/incus/coid-life.test.ts',
  'test/faults/end.test.ts',
  'test/faults/launch.test.ts',
  'test/docs/guide-first-half.test.ts',
  'test/docs/guide-second-half.test.ts',
  'test/security/monitor.test.ts',
  'test/security/crowd.test.ts',
  'test/faults/stuck.test.ts',
  'test/incus/custom-image.test.ts',
];

/**
 * Runs one file of tests. Without `--test`, which would run it in a child: with `--test-force-exit` the child exits before
 * its last reports are written. A test that timed out may hold a handle open forever; `test/bed/leaks.ts` reports open handles.
 */
export function testProgram(file: string): string[] {
  const flags = ['--import=./test/bed/leaks.ts', '--test-reporter=spec', '--test-force-exit'];
  return [process.execPath, ...flags, file];
}
