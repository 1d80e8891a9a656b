// The entry: keeps compiled code between runs, then loads the program. Nothing else may be imported here,
// since what is loaded before the cache is enabled is compiled anew at every start.
import { enableCompileCache } from 'node:module';

const home =
  process.env['XDG_CACHE_HOME'] ??
  (process.env['HOME'] ? `${process.env['HOME']}/.cache` : undefined);
if (home?.startsWith('/')) enableCompileCache(`${home}/coi/compiled`);
import('./cli.ts')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((status) => {
    process.exitCode = status;
  });
