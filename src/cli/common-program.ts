// The program with the code of some commands only (`everyday-words.ts`; scripts/build.ts leaves the others out).
export { main } from './program.ts';
