// Floor of `coi version`: a Node program that says one line.
process.stdout.write('empty\n');
