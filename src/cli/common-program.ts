// The program with the frequently used commands only (`common-commands.ts`; scripts/build.ts leaves out the others).
export { main } from './program.ts';
