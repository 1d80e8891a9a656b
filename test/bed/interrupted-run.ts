// Runs test/bed/interrupted-suite.ts the way `npm test` runs its suites.
import { endWhatRuns, interruptedStatus, run } from '../../scripts/run.ts';
import { testProgram } from '../../scripts/suites.ts';

const { signal } = endWhatRuns();
const program = testProgram('test/bed/interrupted-suite.ts');
const { status } = await run(program, { show: 'copy', group: true });
const by = signal();
process.exit(by === undefined ? status : interruptedStatus(by));
