// The entry: keeps compiled code between runs, then loads the part of the program that is wanted. Nothing big may be
// imported here, since what is loaded before the cache is enabled is compiled anew at every start.
import { enableCompileCache } from 'node:module';
import { everydayWords } from './cli/common-commands.ts';
import { ownWords } from './host/process/command-line.ts';

const words = ownWords(process);

const home =
  process.env['XDG_CACHE_HOME'] ??
  (process.env['HOME'] ? `${process.env['HOME']}/.cache` : undefined);
// The launcher takes the Node that the package brings. Where npm could not fetch that, an older one gets as far as here, and
// then the user gets a sentence instead of a trace.
if (Number(process.versions.node.split('.', 1)[0]) < 24) {
  process.stderr.write(
    `Error: coi needs Node 24 or newer, and this is ${process.version}\nHint: the Node that coi brings is not there: install coi again where npm reaches its registry, or install a newer Node.\n`,
  );
  process.exitCode = 1;
} else {
  if (home?.startsWith('/')) enableCompileCache(`${home}/coi/compiled`);
  // A completion of names is asked for at every Tab; one of flags needs the commands.
  const asked = words[0] === '__complete' ? words.indexOf('--') : -1;
  const namesOnly = asked > 0 && !words.slice(asked + 1).some((word) => word.startsWith('-'));
  const [word = 'shell'] = words;
  const everyday = (everydayWords as readonly string[]).includes(word);
  const part = namesOnly
    ? import('./cli/completion-entry.ts')
    : everyday
      ? import('./cli/common-program.ts')
      : import('./cli/program.ts');
  part
    .then(({ main }) => main(words))
    .then((status) => {
      process.exitCode = status;
    });
}
