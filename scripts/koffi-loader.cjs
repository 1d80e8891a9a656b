// Replaces koffi in the bundle: loads only its native file, from the program's directory or from the single executable.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const sea = require('node:sea');

const name = `koffi-${process.arch}.node`;
const native = { exports: {} };
if (sea.isSea()) {
  // dlopen only takes files; once loaded, the file is no longer needed.
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
