import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { issueAuthority, issueCrl, type DevAuthority } from '@usufruct/attestation-dev';
import { isSignedBy, parseCertificate, type Certificate } from './certificate.js';
import { isCrlSignedBy, parseCrl } from './crl.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const FAILURE = new DOMException('no memory for it', 'OperationError');

describe('an engine that fails once', () => {
  let authority: DevAuthority;
  let issuer: Certificate;
  beforeAll(async () => {
    authority = await issueAuthority({ commonName: 'CA', isCa: true, nowMs: NOW_MS });
    issuer = parseCertificate(authority.der)!;
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const fresh = async (signer = authority): Promise<Certificate> => {
    const { der } = await issueAuthority({ commonName: 'leaf', isCa: false, issuer: authority, signer, nowMs: NOW_MS });
    return parseCertificate(der)!;
  };
  const questions: readonly [string, () => Promise<() => Promise<boolean>>][] = [
    [
      'a certificate',
      async () => {
        const certificate = await fresh();
        return () => isSignedBy(certificate, issuer);
      },
    ],
    [
      'a list',
      async () => {
        const list = parseCrl(await issueCrl({ issuer: authority, nowMs: NOW_MS }))!;
        return () => isCrlSignedBy(list, issuer, 'ecdsa-p256-sha256');
      },
    ],
  ];

  describe.each(questions)('%s', (_name, ask) => {
    it.each(['importKey', 'verify'] as const)(
      'is refused while %s throws, and holds again afterwards',
      async (method) => {
        const isSigned = await ask();
        const broken = jest.spyOn(crypto.subtle, method).mockRejectedValue(FAILURE);
        expect(await Promise.all([isSigned(), isSigned()])).toEqual([false, false]);
        broken.mockRestore();
        expect(await isSigned()).toBe(true);
      },
    );
  });

  it('what is not signed stays so, and is asked once', async () => {
    const other = await issueAuthority({ commonName: 'CA', isCa: true, nowMs: NOW_MS });
    const forged = await fresh(other);
    const verify = jest.spyOn(crypto.subtle, 'verify');
    expect([await isSignedBy(forged, issuer), await isSignedBy(forged, issuer)]).toEqual([false, false]);
    expect(verify).toHaveBeenCalledTimes(1);
  });
});
