import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { itemOfName, nameOfItem, SNP_ENDORSEMENTS, type EndorsementItem } from '@usufruct/attestation';
import {
  createSnpPki,
  createTdxPki,
  DEV_GPU,
  DEV_PLATFORM,
  devRim,
  devSnpEndorsements,
  devTdxEndorsements,
  issueCrl,
  pemOf,
  type CollateralRequest,
  type TdxPki,
} from '@usufruct/attestation-dev';
import type { TimestampMs } from '@usufruct/kernel';
import { PAGES, rimPage, VendorServer, VendorWorld, type VendorHandler } from '../../../test/support/vendor-server.js';
import { EndorsementCache } from './cache.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const TCB: EndorsementItem = { kind: 'intel-tcb-info', fmspc: DEV_PLATFORM.fmspc };
const PCK_CRL: EndorsementItem = { kind: 'intel-pck-crl', ca: 'platform' };
const ROOT_CRL: EndorsementItem = { kind: 'intel-root-crl' };
const AMD_CHAIN: EndorsementItem = { kind: 'amd-chain', key: 'VCEK', product: 'Milan' };
const AMD_CRL: EndorsementItem = { kind: 'amd-crl', product: 'Milan' };
const VCEK = itemOfName(`amd/Milan/vcek/${'c1'.repeat(64)}-4.0.24.219.0.der`)!;
const KEYS: EndorsementItem = { kind: 'nvidia-keys' };
const RIM = itemOfName('nvidia/rim/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml')!;

let world: VendorWorld;
let other: TdxPki;
let server: VendorServer;
let folder: string;

beforeAll(async () => {
  [world, other] = await Promise.all([VendorWorld.make(NOW_MS), createTdxPki(NOW_MS)]);
}, 60_000);
afterAll(() => world.clean());
beforeEach(async () => {
  folder = world.folder();
  server = await VendorServer.start();
  await world.publish(server);
});
afterEach(() => server.stop());

const pageOf = (url: string) => server.pages.get(url) as { body: Uint8Array; headers: Record<string, string> };
const replace = (url: string, changes: object) => void server.pages.set(url, { ...pageOf(url), ...changes });
const handle = (url: string, handler: VendorHandler) => void server.pages.set(url, handler);
const intel = async (url: string, request: Partial<CollateralRequest>, pki = world.tdx) => {
  const tdx = await devTdxEndorsements({ pki, nowMs: NOW_MS, ...request });
  for (const [page, answer] of world.intelPages(tdx)) if (page === url) server.pages.set(url, answer);
};
const html = '<!doctype html><html><body>Sign in to the network</body></html>';
/** As many bytes as are wanted, without a length that would say so. */
const flood = (response: ServerResponse, bytes: number): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const part = Buffer.alloc(64 * 1024, 0x20);
  let sent = 0;
  const more = (): void => {
    if (sent >= bytes || response.destroyed) return void response.end();
    sent += part.length;
    response.write(part, more);
  };
  more();
};

type Row = readonly [what: string, item: EndorsementItem, reason: RegExp, spoil: () => void | Promise<void>];
const ROWS: readonly Row[] = [
  ['a sign-in page with status 200', TCB, /no signed document/, () => replace(PAGES.tcbInfo, { body: html })],
  [
    'half of the document',
    TCB,
    /no signed document/,
    () => replace(PAGES.tcbInfo, { body: pageOf(PAGES.tcbInfo).body.subarray(0, 500) }),
  ],
  ['an empty answer', TCB, /no signed document/, () => replace(PAGES.tcbInfo, { body: '' })],
  ['a status that is not 200', TCB, /status 503/, () => replace(PAGES.tcbInfo, { status: 503 })],
  ['no such item', TCB, /status 404/, () => void server.pages.delete(PAGES.tcbInfo)],
  [
    '10 MB',
    TCB,
    /larger than 262144 bytes/,
    () => handle(PAGES.tcbInfo, (_request, response) => flood(response, 10_000_000)),
  ],
  [
    'a body that never ends coming',
    TCB,
    /longer than 700 ms/,
    () =>
      handle(PAGES.tcbInfo, (_request, response) => {
        response.writeHead(200).write('{"tcbInfo":');
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      }),
  ],
  ['no answer at all', TCB, /longer than 700 ms/, () => handle(PAGES.tcbInfo, () => undefined)],
  [
    'a connection that breaks',
    TCB,
    /cannot be reached/,
    () => handle(PAGES.tcbInfo, (request) => void request.socket.destroy()),
  ],
  [
    'a redirection, even to itself',
    TCB,
    /redirects elsewhere/,
    () =>
      handle(PAGES.tcbInfo, (_request, response) => void response.writeHead(302, { location: PAGES.tcbInfo }).end()),
  ],
  [
    '"not modified" of what is not held',
    TCB,
    /nothing changed, of nothing/,
    () => handle(PAGES.tcbInfo, (_request, response) => void response.writeHead(304).end()),
  ],
  ['no issuers in the header', TCB, /issuers are missing/, () => replace(PAGES.tcbInfo, { headers: {} })],
  [
    'a header that is not URL-encoded',
    TCB,
    /issuers are missing/,
    () => replace(PAGES.tcbInfo, { headers: { 'tcb-info-issuer-chain': '%E0%A4%A' } }),
  ],
  [
    'the issuers of another root',
    TCB,
    /not end in a root that is pinned/,
    () => intel(PAGES.tcbInfo, { tcbInfoChain: pemOf(other.tcbSigning, other.root) }),
  ],
  ['everything under another root', TCB, /not end in a root that is pinned/, () => intel(PAGES.tcbInfo, {}, other)],
  [
    "another signer's chain",
    TCB,
    /its signer may not sign this/,
    () => intel(PAGES.tcbInfo, { tcbInfoChain: pemOf(world.tdx.pck, world.tdx.platformCa, world.tdx.root) }),
  ],
  [
    'signed by a PCK',
    TCB,
    /may not sign this/,
    () =>
      intel(PAGES.tcbInfo, {
        tcbInfoSigner: world.tdx.pck,
        tcbInfoChain: pemOf(world.tdx.pck, world.tdx.platformCa, world.tdx.root),
      }),
  ],
  [
    'changed after it was signed',
    TCB,
    /not signed by the leaf/,
    () => {
      const text = Buffer.from(pageOf(PAGES.tcbInfo).body)
        .toString()
        .replace('"tcbEvaluationDataNumber":18', '"tcbEvaluationDataNumber":19');
      replace(PAGES.tcbInfo, { body: text });
    },
  ],
  [
    'of another family',
    TCB,
    /another platform family/,
    () => intel(PAGES.tcbInfo, { tcbInfo: { fmspc: 'DE0000000002' } }),
  ],
  [
    'nextUpdate in the past',
    TCB,
    /signed validity ended 2026-05-31/,
    () => intel(PAGES.tcbInfo, { tcbInfo: { nextUpdate: '2026-05-31T00:00:00Z' } }),
  ],
  [
    'issued in the future',
    TCB,
    /not valid before 2026-06-02/,
    () => intel(PAGES.tcbInfo, { tcbInfo: { issueDate: '2026-06-02T00:00:00Z' } }),
  ],
  [
    'the quoting enclave of SGX',
    { kind: 'intel-qe-identity' },
    /no signed document/,
    () => intel(PAGES.qeIdentity, { qeIdentity: { id: 'QE' } }),
  ],
  [
    'a list that is none',
    PCK_CRL,
    /no revocation list/,
    () => replace(PAGES.pckCrl, { body: Uint8Array.of(0x30, 0x00) }),
  ],
  ['text in place of a list', PCK_CRL, /nothing of this kind/, () => replace(PAGES.pckCrl, { body: html })],
  [
    'a stale list',
    PCK_CRL,
    /signed validity ended/,
    () => intel(PAGES.pckCrl, { pckCrl: { fromDays: -9, untilDays: -1 } }),
  ],
  [
    'the list of the other CA',
    { kind: 'intel-pck-crl', ca: 'processor' },
    /the list of another CA/,
    () => void server.pages.set(PAGES.pckCrl.replace('platform', 'processor'), pageOf(PAGES.pckCrl)),
  ],
  [
    'a list that another key signed',
    PCK_CRL,
    /not signed by its CA/,
    () => intel(PAGES.pckCrl, { pckCrl: { signer: other.platformCa } }),
  ],
  [
    "the root's list, made by a CA below it",
    ROOT_CRL,
    /the list of another CA/,
    async () => replace(PAGES.rootCrl, { body: await issueCrl({ issuer: world.tdx.platformCa, nowMs: NOW_MS }) }),
  ],
  [
    'no root to hold the list against',
    ROOT_CRL,
    /issuers are missing/,
    () => void server.pages.delete(PAGES.qeIdentity),
  ],
  [
    'a chain of another root',
    AMD_CHAIN,
    /not end in a root that is pinned/,
    async () => {
      const pki = await createSnpPki({ nowMs: NOW_MS });
      replace(PAGES.amdChain, { body: pemOf(pki.ask, pki.ark) });
    },
  ],
  [
    'root and intermediate changed over',
    AMD_CHAIN,
    /not end in a root that is pinned/,
    () => replace(PAGES.amdChain, { body: pemOf(world.snp.ark, world.snp.ask) }),
  ],
  ['the root alone', AMD_CHAIN, /not two certificates/, () => replace(PAGES.amdChain, { body: pemOf(world.snp.ark) })],
  [
    'the chain of another product',
    { kind: 'amd-chain', key: 'VCEK', product: 'Genoa' },
    /another product line/,
    () => void server.pages.set(PAGES.amdChain.replace('Milan', 'Genoa'), pageOf(PAGES.amdChain)),
  ],
  [
    'a list that the intermediate signed',
    AMD_CRL,
    /not signed by its CA/,
    async () => {
      const snp = await devSnpEndorsements({ pki: world.snp, nowMs: NOW_MS, revoked: [], listSigner: world.snp.ask });
      replace(PAGES.amdCrl, { body: snp[SNP_ENDORSEMENTS.crl('Milan')] });
    },
  ],
  [
    "another chip's key",
    itemOfName(`amd/Milan/vcek/${'c2'.repeat(64)}-4.0.24.219.0.der`)!,
    /another chip or another TCB/,
    () => void server.pages.set(PAGES.vcek.replaceAll('c1', 'c2'), pageOf(PAGES.vcek)),
  ],
  [
    'the key of another TCB',
    itemOfName(`amd/Milan/vcek/${'c1'.repeat(64)}-4.0.24.220.0.der`)!,
    /another chip or another TCB/,
    () => void server.pages.set(PAGES.vcek.replace('219', '220'), pageOf(PAGES.vcek)),
  ],
  [
    'a certificate that is no key of a chip',
    VCEK,
    /no certificate of a VCEK/,
    () => replace(PAGES.vcek, { body: world.snp.ask.der }),
  ],
  [
    'a manifest that is not in base64',
    RIM,
    /nothing of this kind/,
    () => replace(PAGES.vbiosRim, { body: '{"rim":"<xml/>"}' }),
  ],
  [
    'a manifest with a document type',
    RIM,
    /document type/,
    () => replace(PAGES.vbiosRim, rimPage(Buffer.from('<!DOCTYPE x><x/>'))),
  ],
  [
    "another version's manifest",
    RIM,
    /another product or version/,
    () => replace(PAGES.vbiosRim, pageOf(PAGES.driverRim)),
  ],
  [
    'a manifest changed after it was signed',
    RIM,
    /not signed by its own leaf/,
    async () => {
      const rim = {
        chain: world.nvidia.rim,
        version: '96.00.5E.00.01',
        golden: new Map([[0, [...DEV_GPU.measurements.values()]]]),
      };
      const alter = (text: string) => text.replace('active="False"', 'active="True"');
      replace(PAGES.vbiosRim, rimPage(await devRim({ ...rim, alter })));
    },
  ],
  [
    'a set of keys with none in it',
    KEYS,
    /no set of keys/,
    () => void server.pages.set('/keys', { body: '{"keys":[]}' }),
  ],
  ['a sign-in page in place of keys', KEYS, /no set of keys/, () => void server.pages.set('/keys', { body: html })],
  [
    'an OCSP response that nobody can ask for',
    { kind: 'nvidia-ocsp', fingerprint: 'ab'.repeat(32) },
    /which certificate/,
    () => undefined,
  ],
];

describe('bad answers of a vendor: said why, and not a byte of them kept', () => {
  it.each(ROWS)('%s (%j): %s', async (_what, item, reason, spoil) => {
    await spoil();
    const clock = { nowMs: () => NOW_MS as TimestampMs };
    // Who waits for nothing waits briefly; others' patience is for a busy machine.
    const timeoutMs = reason.source.includes('700 ms') ? 700 : 10_000;
    const cache = new EndorsementCache({ folder, roots: world.roots, clock, urls: server.urls, timeoutMs });
    const [found] = await cache.fetch([item]);
    expect(found).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(reason) });
    expect(found!.reason).not.toContain('Sign in');
    const kept = readdirSync(folder, { recursive: true }).map((name) => String(name));
    expect(kept).not.toContain(nameOfItem(item));
    // Nothing stands in the way of the good answer.
    await server.stop();
    server = await VendorServer.start();
    await world.publish(server);
    if (nameOfItem(item) !== nameOfItem(TCB)) return;
    const later = new EndorsementCache({ folder, roots: world.roots, clock, urls: server.urls });
    expect((await later.fetch([item]))[0]!.outcome).toBe('fetched');
  });

  it('reads no more of 200 MB than the limit and what is under way', async () => {
    let closed: Promise<number> = Promise.resolve(0);
    handle(PAGES.tcbInfo, (request, response) => {
      closed = new Promise((done) => request.socket.on('close', () => done(request.socket.bytesWritten)));
      flood(response, 200_000_000);
    });
    const clock = { nowMs: () => NOW_MS as TimestampMs };
    const cache = new EndorsementCache({ folder, roots: world.roots, clock, urls: server.urls });
    await cache.fetch([TCB]);
    const sent = await closed;
    expect(sent).toBeGreaterThan(0);
    // The system's buffers between the two take 4 MB on one machine and tens of them on another.
    expect(sent).toBeLessThan(100_000_000);
  });
});

describe('addresses of the vendors', () => {
  it.each([
    ['another protocol', 'file:///etc/passwd'],
    ['credentials', 'https://user:secret@pccs.example'],
    ['a query', 'https://pccs.example/?token=secret'],
    ['no address', 'pccs.example'],
    ['plain HTTP for what nobody signs', 'http://keys.example/jwks.json'],
  ])('with %s are refused, and not repeated', (_what, intelUrl) => {
    const clock = { nowMs: () => NOW_MS as TimestampMs };
    const open = () =>
      new EndorsementCache({
        folder,
        roots: world.roots,
        clock,
        urls: intelUrl.includes('keys') ? { nvidiaKeys: intelUrl } : { intel: intelUrl },
      });
    expect(open).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(open).not.toThrow(/secret/);
  });
});
