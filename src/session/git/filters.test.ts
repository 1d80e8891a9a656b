import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingFilters } from './filters.ts';

test('git-lfs and filters of standard tools are available; others are reported with the missing program', () => {
  const lfs = '*.psd filter=lfs diff=lfs merge=lfs -text\n';
  assert.deepEqual(missingFilters([lfs], ''), []);
  assert.deepEqual(missingFilters([], '[filter "x"]\n\tclean = nothing\n'), []);
  const attributes = `# *.x filter=comment\n*.key filter=git-crypt diff=git-crypt\n* filter=annex\n*.c filter=indent\n*.sh\tfilter=own\n${lfs}`;
  const config = `[core]
	bare = false
[filter "git-crypt"]
	smudge = "git-crypt" smudge
	clean = \\"git-crypt\\" clean
	required = true
[Filter "indent"]
	clean = sed -e 's/\\t/ /'
	smudge = cat
[filter "own"]
	clean = ./tools/clean.sh
	smudge = /usr/bin/perl -p
[user]
	clean = nothing
`;
  assert.deepEqual(missingFilters([attributes], config), [
    'annex (not configured)',
    'git-crypt (no git-crypt)',
  ]);
});

test('a program given by absolute path is available only if the image has it there', () => {
  const named = ['* filter=a'];
  const with_ = (clean: string) => missingFilters(named, `[filter "a"]\nclean = ${clean}\n`);
  assert.deepEqual(with_('/usr/bin/sed x'), []);
  assert.deepEqual(with_('/opt/tool/clean x'), ['a (no /opt/tool/clean)']);
  assert.deepEqual(with_('f() { sed x; }; f'), []);
});
