import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { INTEL_SGX_ROOT } from './pinned-roots.js';

describe('pinned roots', () => {
  it("Intel's has the fingerprint that Intel's root is known by", () => {
    const root = new X509Certificate(INTEL_SGX_ROOT);
    expect(root.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
      '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
    );
    expect(root.verify(root.publicKey)).toBe(true);
  });
});
