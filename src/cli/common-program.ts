// The program with the code of some commands only (`common-commands.ts`; scripts/build.ts leaves the others out).
export { main } from './program.ts';
