import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonIn } from './download.ts';
import { keptRegistry } from './download-npm.ts';

test('the image knows the registry without the login of the one who builds', () => {
  assert.equal(keptRegistry('https://me:secret@npm.example/path/\n'), 'https://npm.example/path/');
});

test('a registry that only the host can reach is not kept', () => {
  for (const url of [
    'http://localhost:4873/',
    'http://127.0.0.1:4873/',
    'http://[::1]:4873/',
    'file:///x',
    'undefined',
  ])
    assert.equal(keptRegistry(url), '');
});

test('why apt or npm failed is found in what they print', () => {
  const reason = (...lines: string[]) => lines.map(reasonIn).find((one) => one !== undefined);
  const npm = 'request to https://npm.example/x failed, reason: self-signed certificate';
  assert.equal(
    reason('npm ERR! code SELF_SIGNED_CERT_IN_CHAIN', `npm ERR! ${npm}`, 'npm ERR! A complete log'),
    npm,
  );
  assert.equal(reason('npm error code E404', 'npm error 404 Not Found'), '404 Not Found');
  assert.equal(
    reason('Err:1 http://mirror.example', 'E: Unable to locate package x'),
    'Unable to locate package x',
  );
  assert.equal(reason('npm warn deprecated', 'added 3 packages'), undefined);
});
