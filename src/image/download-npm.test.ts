import assert from 'node:assert/strict';
import { test } from 'node:test';
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
