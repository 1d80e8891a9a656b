// Entry point: enables the compile cache, then loads the part of the program that is needed. Nothing big may be imported
// here: modules loaded before the cache is enabled are compiled again at every start.
import { enableCompileCache } from 'node:module';
import { commonCommands } from './cli/common-commands.ts';
import { takeArguments } from './host/process/command-line.ts';

const words = takeArguments(process);

const home =
  process.env['XDG_CACHE_HOME'] ??
  (process.env['HOME'] ? `${process.env['HOME']}/.cache` : undefined);
// The launcher uses the Node of the package. If npm could not download it, an older Node may run this file, and the user
// should get an error message instead of a stack trace.
if (Number(process.versions.node.split('.', 1)[0]) < 24) {
  process.stderr.write(
    `Error: coi needs Node 24 or newer, and this is ${process.version}\nHint: Reinstall coi where npm reaches its registry, since its own Node is missing, or install a newer Node.\n`,
  );
  process.exitCode = 1;
} else {
  if (home?.startsWith('/')) enableCompileCache(`${home}/coi/compiled`);
  // Completion of names runs at every Tab and has its own entry; completion of flags needs the commands.
  const separator = words[0] === '__complete' ? words.indexOf('--') : -1;
  const namesOnly =
    separator > 0 && !words.slice(separator + 1).some((word) => word.startsWith('-'));
  const [word = 'shell'] = words;
  const isCommon = (commonCommands as readonly string[]).includes(word);
  const part = namesOnly
    ? import('./cli/completion-entry.ts')
    : isCommon
      ? import('./cli/common-program.ts')
      : import('./cli/program.ts');
  part
    .then(({ main }) => main(words))
    .then((status) => {
      process.exitCode = status;
    });
}
