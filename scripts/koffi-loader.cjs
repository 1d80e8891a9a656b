// What the bundle has in koffi's place: its native file alone, from beside the program or out of the one executable file.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const sea = require('node:sea');

const name = `koffi-${process.arch}.node`;
const native = { exports: {} };
if (sea.isSea()) {
  // The loader takes files only; once loaded, the file is not needed any more.
  const directory = mkdtempSync(join(tmpdir(), 'coi-native-'));
  try {
    writeFileSync(join(directory, name), Buffer.from(sea.getAsset(name)), { mode: 0o700 });
    process.dlopen(native, join(directory, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
} else {
  process.dlopen(native, join(__dirname, 'native', name));
}
module.exports = native.exports;
