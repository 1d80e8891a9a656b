// Which test folders there are, in the order they run: what breaks everything else comes first.

export interface Suite {
  readonly folder: string;
  /** Test files at a time: one where they would share the routes to a pretend internet, or where an agent alone fills the machine. */
  readonly concurrency: number;
  /** Minutes until the whole suite is given up. */
  readonly limitMinutes: number;
  /** The image that it needs beside the one of the tests; built before it if it is missing, which takes minutes. */
  readonly image?: 'coi-default';
}

/** Unit tests lie beside the code; these need no Incus and are part of `npm run check`. */
export const checkGlobs = ['src/**/*.test.ts', 'test/tidy/*.test.ts', 'test/fakes/**/*.test.ts'];

export const suites: readonly Suite[] = [
  { folder: 'test/bed', concurrency: 2, limitMinutes: 5 },
  { folder: 'test/contract', concurrency: 2, limitMinutes: 5 },
  { folder: 'test/cli', concurrency: 2, limitMinutes: 10 },
  // Two images of hosts with Debian's own npm are made when they are missing.
  { folder: 'test/package', concurrency: 2, limitMinutes: 25 },
  { folder: 'test/handoff', concurrency: 2, limitMinutes: 5 },
  { folder: 'test/docs', concurrency: 2, limitMinutes: 10 },
  { folder: 'test/incus', concurrency: 2, limitMinutes: 20 },
  { folder: 'test/terminal', concurrency: 2, limitMinutes: 10 },
  { folder: 'test/lifecycle', concurrency: 2, limitMinutes: 30 },
  { folder: 'test/network', concurrency: 1, limitMinutes: 20 },
  { folder: 'test/security', concurrency: 2, limitMinutes: 20 },
  { folder: 'test/faults', concurrency: 2, limitMinutes: 20 },
  // A whole host in a container; its image is made when it is missing, which takes a minute.
  { folder: 'test/hosts', concurrency: 1, limitMinutes: 20 },
  { folder: 'test/agents', concurrency: 1, limitMinutes: 20, image: 'coi-default' },
  { folder: 'test/image', concurrency: 2, limitMinutes: 20, image: 'coi-default' },
];
