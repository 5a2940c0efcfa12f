import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  issueAuthority,
  issueOcsp,
  issueOcspResponder,
  type DevAuthority,
  type OcspRequest,
} from '@usufruct/attestation-dev';
import { concatBytes, fromBase64, toHex } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { describeRecorded, readEvidence } from '../../../../test/support/evidence.js';
import { parseCertificate, type Certificate } from './certificate.js';
import { parseChain } from './chain.js';
import { checkOcsp, OCSP_CHECKS, ocspUntilMs } from './ocsp-checks.js';
import { encodeOcspRequest } from './ocsp-request.js';
import { parseOcsp } from './ocsp.js';
import { parseDer } from './der.js';
import { parsePemChain } from './pem.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

describe('an OCSP response', () => {
  let ca: DevAuthority;
  let otherCa: DevAuthority;
  let leaf: DevAuthority;
  let responder: DevAuthority;
  const ask = (changes: Partial<OcspRequest> = {}) =>
    issueOcsp({ certificate: leaf, issuer: ca, responder, nowMs: NOW_MS, ...changes });
  const certificateOf = ({ der }: DevAuthority): Certificate => parseCertificate(der)!;
  const judge = async (der: Uint8Array, nowMs = NOW_MS) => {
    const answer = { certificate: certificateOf(leaf), issuer: certificateOf(ca), response: parseOcsp(der) };
    const checks = await checkOcsp([answer], nowMs);
    expect(checks.map(({ name }) => name)).toEqual(OCSP_CHECKS);
    return checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  };
  const authority = (commonName: string, isCa: boolean, issuer?: DevAuthority) =>
    issueAuthority({ commonName, isCa, nowMs: NOW_MS, curve: 'P-384', ...(issuer && { issuer }) });

  beforeAll(async () => {
    [ca, otherCa] = await Promise.all([authority('CA', true), authority('CA', true)]);
    leaf = await authority('leaf', false, ca);
    responder = await issueOcspResponder(ca, NOW_MS);
  });

  it('is good from a responder of the issuer, and from the issuer itself', async () => {
    expect(await judge(await ask())).toEqual([]);
    expect(await judge(await ask({ responder: ca }))).toEqual([]);
    expect(await judge(await ask({ isByName: true }))).toEqual([]);
    expect(await judge(await ask({ hash: 'SHA-256' }))).toEqual([]);
    const withNonce = await ask({ nonce: Uint8Array.of(1, 2, 3) });
    expect(parseOcsp(withNonce)?.nonce).toBe('010203');
    expect(await judge(withNonce)).toEqual([]);
    expect(
      ocspUntilMs([{ certificate: certificateOf(leaf), issuer: certificateOf(ca), response: parseOcsp(withNonce) }]),
    ).toBe(NOW_MS + DAY_MS);
  });

  type Row = [string, string[], () => Promise<Uint8Array>];
  const from =
    (changes: Parameters<typeof issueOcspResponder>[2], issuer?: () => DevAuthority): Row[2] =>
    async () =>
      ask({ responder: await issueOcspResponder(issuer?.() ?? ca, NOW_MS, changes) });
  const rows: Row[] = [
    ['revoked', ['OCSP_STATUS'], () => ask({ status: 'revoked' })],
    ['unknown', ['OCSP_STATUS'], () => ask({ status: 'unknown' })],
    ['of last week', ['OCSP_STALE'], () => ask({ fromDays: -8, untilDays: -1 })],
    ['of tomorrow', ['OCSP_STALE'], () => ask({ fromDays: 1, untilDays: 2 })],
    ['about another certificate', ['OCSP_CERT_ID'], () => ask({ certificate: ca })],
    [
      'about a certificate of another issuer',
      ['OCSP_CERT_ID', 'OCSP_RESPONDER'],
      () => ask({ issuer: otherCa, responder: otherCa }),
    ],
    ['signed by another key', ['OCSP_SIGNATURE'], () => ask({ signer: otherCa })],
    ['from a responder of another issuer of that name', ['OCSP_RESPONDER'], from({}, () => otherCa)],
    ['from a certificate that is for something else', ['OCSP_RESPONDER'], from({ extensions: {}, critical: [] })],
    ['from a responder that expired', ['OCSP_RESPONDER'], from({ untilDays: -0.5 })],
    ['from a responder of tomorrow', ['OCSP_RESPONDER'], from({ fromDays: 0.5 })],
    ['from a responder that is a CA', ['OCSP_RESPONDER'], from({ isCa: true })],
    ['from the certificate that it is about', ['OCSP_RESPONDER'], () => ask({ responder: leaf })],
    ['that says to try later', ['OCSP_PARSE'], () => ask({ responseStatus: 3 })],
    ['that names the issuer by SHA-1', ['OCSP_PARSE'], () => ask({ hash: 'SHA-1' })],
    ['without nextUpdate', ['OCSP_PARSE'], () => ask({ untilDays: null })],
    ['with a critical extension', ['OCSP_PARSE'], () => ask({ nonce: Uint8Array.of(1), isNonceCritical: true })],
    ['with a byte behind', ['OCSP_PARSE'], async () => concatBytes(await ask(), Uint8Array.of(0))],
    ['that is empty', ['OCSP_PARSE'], async () => new Uint8Array()],
    ['of an absurd size', ['OCSP_PARSE'], async () => new Uint8Array(100_000).fill(0x30)],
  ];
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect(await judge(await make())).toEqual(expected);
  });

  it('is refused with any byte flipped', async () => {
    // By its issuer, so that every byte is either signed or structure.
    const der = await ask({ responder: ca });
    for (let at = 0; at < der.length; at++) {
      const failedChecks = await judge(der.with(at, der[at]! ^ (1 << (at % 8))));
      expect({ at, failed: failedChecks.length > 0 }).toEqual({ at, failed: true });
    }
  });

  it('of several is refused for one', async () => {
    const [good, bad] = await Promise.all([ask(), ask({ status: 'revoked' })]);
    const answers = [good, bad].map((der) => ({
      certificate: certificateOf(leaf),
      issuer: certificateOf(ca),
      response: parseOcsp(der),
    }));
    const failed = (await checkOcsp(answers, NOW_MS)).filter(({ status }) => status === 'failed');
    expect(failed.map(({ name }) => name)).toEqual(['OCSP_STATUS']);
  });

  it('is asked for about one certificate, by SHA-384', async () => {
    const request = parseDer((await encodeOcspRequest(leaf.der, ca.der))!)!;
    const [algorithm, name, key, serial] = request.children[0]!.children[0]!.children[0]!.children[0]!.children;
    const about = parseOcsp(await ask())!.about;
    expect(toHex(algorithm!.bytes)).toBe('300d06096086480165030402020500');
    expect([name, key, serial].map((element) => toHex(element!.contents))).toEqual([
      about.issuerNameHash,
      about.issuerKeyHash,
      about.serial,
    ]);
    expect(await encodeOcspRequest(leaf.der, new Uint8Array())).toBeNull();
  });
});

const recorded = (name: string): Uint8Array =>
  fromBase64(readFileSync(join(import.meta.dirname, `../../vectors/${name}.b64`), 'utf8').replaceAll('\n', ''));

describeRecorded("NVIDIA's recorded OCSP responses", 'nvidia', () => {
  /** Both were given on 2025-08-21, for a day. */
  const THEN_MS = Date.UTC(2025, 7, 21, 12);
  /** FMC, boot ROM, provisioner, identity, root. */
  const chain = () => parseChain(parsePemChain(readEvidence('nvidia/hopperCertChain.txt'))!)!;
  const judge = async (name: string, at: number, nowMs = THEN_MS) => {
    const [certificate, issuer] = [chain()[at]!, chain()[at + 1]!];
    const checks = await checkOcsp([{ certificate, issuer, response: parseOcsp(recorded(name)) }], nowMs);
    return checks.filter(({ status }) => status === 'failed').map((check) => check.name);
  };

  it('the one about an intermediate passes every check', async () => {
    expect(await judge('ocsp-gh100-identity', 3)).toEqual([]);
  });

  it('the one about the boot ROM of another GPU is signed, but not about this one', async () => {
    expect(await judge('ocsp-gh100-boot-rom', 1)).toEqual(['OCSP_CERT_ID']);
  });

  it('both are stale a week later', async () => {
    expect(await judge('ocsp-gh100-identity', 3, THEN_MS + 7 * DAY_MS)).toEqual(['OCSP_STALE']);
  });

  it('a flip of a byte anywhere is refused', async () => {
    const der = recorded('ocsp-gh100-identity');
    const random = seededRandom('flips of an OCSP response')(der.length);
    for (let at = 0; at < der.length; at++) {
      if (process.env['ATTESTATION_ALL_FLIPS'] !== '1' && random[at]! >= 64) continue;
      const response = parseOcsp(der.with(at, der[at]! ^ (1 << (at % 8))));
      const checks = await checkOcsp([{ certificate: chain()[3]!, issuer: chain()[4]!, response }], THEN_MS);
      expect({ at, bad: checks.some(({ status }) => status === 'failed') }).toEqual({ at, bad: true });
    }
  }, 60_000);
});
