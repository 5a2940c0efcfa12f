import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { canonicalCompose, composeConfigId, composeHash, encodeCompose, isCanonicalCompose } from './app-compose.js';

/** The reference data of dstack's SDKs (get-compose-hash, cross-language example). */
const REFERENCE = {
  runner: 'docker-compose',
  docker_compose_file: 'docker-compose.yml',
  text: '你好世界',
  id: 'c73a3a4e-ce71-4c12-a1b7-78be1a2e48e0',
  b_number: 123,
  a_status: true,
  z_items: [3, 1, 2],
  nested: { gamma: 3.14, alpha: 'first' },
};
/** `getComposeHash` of @phala/dstack-sdk 0.5.8, and Python's json.dumps(sort_keys=True, …) with hashlib. */
const HASH = '0705386656362891629ac994406f4e31ba5c805b9638538df415c56768a504f4';

describe('the app compose of a dstack guest', () => {
  it('hashes as dstack’s own tools do', async () => {
    const file = encodeCompose(REFERENCE);
    expect(await composeHash(file)).toBe(HASH);
    expect(await composeConfigId(file)).toBe(`01${HASH}${'0'.repeat(30)}`);
    expect(isCanonicalCompose(file)).toBe(true);
  });

  it('is the same for the same members in another order, and another for other lists', async () => {
    const { nested, ...rest } = REFERENCE;
    const reordered = { nested: { alpha: nested.alpha, gamma: nested.gamma }, ...rest };
    expect(await composeHash(encodeCompose(reordered))).toBe(HASH);
    expect(await composeHash(encodeCompose({ ...REFERENCE, z_items: [1, 2, 3] }))).not.toBe(HASH);
  });

  it('says when a file is not in the form that tools give it: the guest hashes it as it is', async () => {
    const pretty = utf8(JSON.stringify(REFERENCE, null, 2));
    expect(isCanonicalCompose(pretty)).toBe(false);
    expect(await composeHash(pretty)).not.toBe(HASH);
  });

  it('keeps members whose names mean something to JavaScript', () => {
    expect(canonicalCompose('{"b":1,"__proto__":{"z":1,"a":2}}')).toBe('{"__proto__":{"a":2,"z":1},"b":1}');
  });

  it.each(['[]', 'null', '{', '1', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`])('refuses %s', (text) => {
    expect(() => canonicalCompose(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
