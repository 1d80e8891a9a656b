// Names and aliases as users type them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { CoiError } from '../../errors.ts';
import type { Instance, InstanceStatus } from '../../incus/shapes.ts';
import { findContainer } from './find-container.ts';
import { type Container, coiContainers } from './instance-record.ts';

function container(
  name: string,
  slot: number,
  alias?: string,
  status: InstanceStatus = 'Running',
): Container {
  const config = sessionConfig({ slot, session: '6a3b7c1e-0000-4000-8000-00000000000a', alias });
  const [found] = coiContainers([{ name, status, config } as Instance], 'coi-', 1000);
  assert.ok(found?.session);
  return found;
}

const find = (containers: readonly Container[], word: string) =>
  findContainer({ prefix: 'coi-' }, containers, word)?.name;

describe('container lookup', () => {
  const web = container('coi-aaaaaaaa-1', 1, 'web');
  const web2 = container('coi-aaaaaaaa-2', 2, 'web', 'Stopped');
  const web3 = container('coi-aaaaaaaa-3', 3, 'web', 'Frozen');
  const other = container('coi-bbbbbbbb-1', 1, 'my-web-2');

  it('a container is found by its name', () => {
    assert.equal(find([web, web2], 'coi-aaaaaaaa-2'), 'coi-aaaaaaaa-2');
    assert.equal(find([web], 'coi-aaaaaaaa-9'), undefined);
  });

  it('a container is found by its alias, in any state', () => {
    assert.equal(find([web2, other], 'web'), 'coi-aaaaaaaa-2');
    assert.equal(find([web3, other], 'web'), 'coi-aaaaaaaa-3');
  });

  it('a container is found by alias and slot', () => {
    assert.equal(find([web, web2, web3], 'web-2'), 'coi-aaaaaaaa-2');
    assert.equal(find([web, web2, web3], 'web-4'), undefined);
  });

  it('an alias that itself ends in a dash and a number wins over the slot', () => {
    assert.equal(find([other], 'my-web-2'), 'coi-bbbbbbbb-1');
    assert.equal(find([other], 'my-web-2-1'), 'coi-bbbbbbbb-1');
  });

  it('of several containers with an alias the only one that is not stopped is found', () => {
    assert.equal(find([web, web2], 'web'), 'coi-aaaaaaaa-1');
  });

  it('an alias of several live containers is ambiguous, and the error names them', () => {
    assert.throws(
      () => find([web, web2, web3], 'web'),
      (error) =>
        error instanceof CoiError &&
        error.code === 'alias-invalid' &&
        /web-1 .*web-3/.test(error.hint ?? ''),
    );
  });

  it("an alias that equals another alias's slot name is refused, in any state, naming both", () => {
    const planted = container('coi-bbbbbbbb-1', 1, 'web-2', 'Stopped');
    assert.throws(
      () => find([web, web2, planted], 'web-2'),
      (error) =>
        error instanceof CoiError &&
        error.code === 'alias-invalid' &&
        /coi-bbbbbbbb-1 \(alias web-2 of \/w\).*coi-aaaaaaaa-2 \(alias web, slot 2 of \/w\)/.test(
          error.message,
        ) &&
        /name of the container/.test(error.hint ?? ''),
    );
    assert.equal(find([web, web3, planted], 'web-2'), 'coi-bbbbbbbb-1');
    assert.equal(find([web, web2, planted], 'coi-aaaaaaaa-2'), 'coi-aaaaaaaa-2');
  });

  it('a slot is ambiguous if two names of a workspace use it', () => {
    const twin = container('coi-cccccccc-2', 2, 'web');
    assert.equal(find([web2, twin], 'web-2'), 'coi-cccccccc-2', 'the only live one');
    assert.throws(
      () => find([twin, container('coi-dddddddd-2', 2, 'web')], 'web-2'),
      (error) =>
        error instanceof CoiError &&
        error.message === 'alias "web-2" matches 2 containers' &&
        error.hint === 'Use one of: coi-cccccccc-2, coi-dddddddd-2.',
    );
  });

  it('an unknown word finds no container', () => {
    for (const word of ['nope', '', '-1', '../x', 'web\n'])
      assert.equal(find([web], word), undefined);
  });
});
