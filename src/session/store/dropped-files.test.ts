import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropName, freeName } from './dropped-files.ts';

test('file names become plain names with their extension', () => {
  const names: Readonly<Record<string, string>> = {
    'shot.png': 'shot.png',
    'Screenshot 2026-11-30 at 4.05.10\u202fPM.png': 'Screenshot-2026-11-30-at-4.05.10-PM.png',
    '.env': 'env',
    '-rf': 'rf',
    '../../etc/passwd': 'etc-passwd',
    'a;$(id)`x`\n\u001b[31m"\'.jpg': 'a-id-x-31m.jpg',
    'Grüße 漢字.pdf': 'Grüße-漢字.pdf',
    '\u202egnp.exe': 'gnp.exe',
    '': 'file',
    '...': 'file',
    '#{pane}%H': 'pane-H',
  };
  for (const [given, expected] of Object.entries(names)) assert.equal(dropName(given), expected);
  const long = dropName(`${'ü'.repeat(300)}.jpeg`);
  assert.ok(Buffer.byteLength(long) <= 100 && long.endsWith('ü.jpeg'), long);
});

test('a name that is taken gets a number before its extension', () => {
  assert.equal(freeName('a.png', new Set()), 'a.png');
  assert.equal(freeName('a.png', new Set(['a.png', 'a-2.png'])), 'a-3.png');
  assert.equal(freeName('a', new Set(['a'])), 'a-2');
});
