import { beforeAll, describe, expect, it } from '@jest/globals';
import { createDevPki, issueAuthority, pemOf } from '@usufruct/attestation-dev';
import { productionRoots, rootSetWithDevRoot, verifierRoots } from './roots.js';

const NOW_MS = Date.UTC(2026, 5, 1);
let rootPem: string;
beforeAll(async () => {
  rootPem = (await createDevPki(NOW_MS)).root;
});

describe('roots', () => {
  it('a dev root can only ever be a root of the software TEE', async () => {
    const roots = rootSetWithDevRoot(rootPem);
    for (const [name, trusted] of productionRoots().byName) expect(roots.byName.get(name)).toEqual(trusted);
    expect([...roots.byName.keys()].filter((name) => !productionRoots().byName.has(name))).toEqual(['software-dev']);
    expect(productionRoots().byName.has('software-dev')).toBe(false);
  });

  it('production trusts exactly these roots, whatever else a process was given: none of them is generated', async () => {
    // SHA-256 of the vendors' own files where they are recorded; the others as their vendors publish them.
    const published = [
      ['intel', '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3'],
      ['nvidiaDevice', '102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48'],
      ['nvidiaRim', '12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1'],
      ['awsNitro', '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b'],
    ] as const;
    for (const roots of [productionRoots(), verifierRoots({})]) {
      expect(roots.standIn).toBe(false);
      expect([...roots.byName.keys()].toSorted()).toEqual(['amd', 'awsNitro', 'intel', 'nvidiaDevice', 'nvidiaRim']);
      for (const [name, fingerprint] of published) expect(roots.byName.get(name)).toEqual([fingerprint]);
      expect(roots.byName.get('amd')).toHaveLength(3);
    }
    // Where a generated root counts in a vendor's place, no production root does, and every result says so.
    const generated = pemOf(await issueAuthority({ commonName: 'Intel SGX Root CA', isCa: true, nowMs: NOW_MS }));
    for (const hardware of [{ intel: generated }, { nvidiaRim: generated }, { amd: generated, awsNitro: generated }]) {
      const roots = verifierRoots({ hardware: JSON.stringify(hardware), software: rootPem });
      const real = [...productionRoots().byName.values()].flat();
      expect(roots.standIn).toBe(true);
      expect([...roots.byName.values()].flat().filter((fingerprint) => real.includes(fingerprint))).toEqual([]);
    }
  });

  it('only a certificate that says DEV ONLY is a root of the software TEE, a vendor’s own least of all', async () => {
    const { X509CertificateGenerator } = await import('@peculiar/x509');
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
    const unmarked = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=Usufruct Software TEE Root',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-384' },
    });
    const refused = expect.objectContaining({
      code: 'CONFIG_INVALID',
      details: expect.objectContaining({ expected: 'a certificate whose name says DEV ONLY' }),
    });
    expect(() => rootSetWithDevRoot(unmarked.toString('pem'))).toThrow(refused);
    expect(() => verifierRoots({ software: unmarked.toString('pem') })).toThrow(refused);
  });

  it.each(['', 'not pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'refuses %j as a root',
    (text) => {
      expect(() => rootSetWithDevRoot(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});
