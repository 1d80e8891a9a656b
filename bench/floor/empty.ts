// Floor of `coi version`: a Node program that prints one line.
process.stdout.write('empty\n');
