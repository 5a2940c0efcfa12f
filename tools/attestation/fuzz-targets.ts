import {
  createDevPki,
  createGpuIdentity,
  createNitroPki,
  createNvidiaPki,
  createSnpPki,
  createTdxPki,
  devNvidiaEndorsements,
  DevNras,
  devTdxEndorsements,
  issueCrl,
  issueOcsp,
  issueOcspResponder,
  loadDevPki,
  pemOf,
  signGpuEvidence,
  signNitroDocument,
  signSnpEvidence,
  signSwitchEvidence,
  signTdxQuote,
  SoftwareTee,
} from '@usufruct/attestation-dev';
import { concatBytes, toBase64, toHex, utf8 } from '@usufruct/kernel';
import { zEvidenceBundle, zRuntimeEvent } from '@usufruct/protocol';
import { z } from 'zod';
import { decodeBundle } from '../../libs/attestation/src/common-checks.ts';
import { parseCbor } from '../../libs/attestation/src/cose/cbor.ts';
import { eventDigest, replayEventLog } from '../../libs/attestation/src/event-log.ts';
import { parseJws, parseKeySet } from '../../libs/attestation/src/jose/jws.ts';
import { parseNitroDocument } from '../../libs/attestation/src/nitro/document.ts';
import { parseExchange } from '../../libs/attestation/src/nvidia/exchange.ts';
import { readGpuReport } from '../../libs/attestation/src/nvidia/report.ts';
import { hasDoctype, parseRim } from '../../libs/attestation/src/nvidia/rim.ts';
import { readSwitchReport } from '../../libs/attestation/src/nvidia/switch-report.ts';
import { parseNrasToken } from '../../libs/attestation/src/nvidia/token.ts';
import { encodeNvidiaPolicy } from '../../libs/attestation/src/policy/nvidia-policy.ts';
import { zTeePolicy } from '../../libs/attestation/src/policy/tee-policy-book.ts';
import { encodeTdxPolicy } from '../../libs/attestation/src/policy/tdx-policy.ts';
import { readEndorsementKey } from '../../libs/attestation/src/snp/endorsement-key.ts';
import { parseReport, SNP_REPORT_BYTES } from '../../libs/attestation/src/snp/report.ts';
import { parseSoftwareQuote } from '../../libs/attestation/src/software/quote-format.ts';
import { readCollateral, TDX_ENDORSEMENTS } from '../../libs/attestation/src/tdx/collateral.ts';
import { parsePckExtension, SGX_EXTENSION } from '../../libs/attestation/src/tdx/pck-extension.ts';
import { parseQuote } from '../../libs/attestation/src/tdx/quote.ts';
import { parseCertificate } from '../../libs/attestation/src/x509/certificate.ts';
import { parseCrl } from '../../libs/attestation/src/x509/crl.ts';
import { parseOcsp } from '../../libs/attestation/src/x509/ocsp.ts';
import { parsePemChain } from '../../libs/attestation/src/x509/pem.ts';
import { ATTESTER_MAKERS } from './attester-targets.ts';
import { BUNDLE, FILE_MAKERS } from './file-targets.ts';
import type { FuzzMakers, FuzzTarget } from './fuzz-loop.ts';
import { filled, isRead, json, jsonOf, NONCE, NOW_MS } from './inputs.ts';
import { POLICIES } from './policies.ts';

/** How each parser is made ready: the valid inputs are signed by generated keys, so their bytes differ in every run. */
const MAKERS: FuzzMakers = {
  ...ATTESTER_MAKERS,
  ...FILE_MAKERS,
  'quote-v4': () => quotes(4),
  'quote-v5': () => quotes(5),
  'snp-report': async () => {
    const pki = await createSnpPki({ nowMs: NOW_MS });
    const evidence = await signSnpEvidence(pki, { reportData: filled(1, 64) });
    return { seeds: [evidence.slice(0, SNP_REPORT_BYTES)], accepts: (bytes) => isRead(parseReport(bytes)) };
  },
  'spdm-report': async () => {
    const pki = await createNvidiaPki(NOW_MS);
    const gpu = await createGpuIdentity({ pki, nowMs: NOW_MS, firmwareId: filled(1, 48) });
    const chip = 'LS_10 A01 FSP';
    const other = await createGpuIdentity({ pki, nowMs: NOW_MS, firmwareId: filled(1, 48), chip });
    const links = ['aa'.repeat(8)];
    return {
      seeds: [
        await signGpuEvidence({ pki, identity: gpu, nonce: NONCE, fields: { links } }),
        await signSwitchEvidence({ pki, identity: other, nonce: NONCE, fields: { links } }),
      ],
      accepts: (bytes) => {
        const exchange = parseExchange(bytes);
        return exchange !== null && [readGpuReport(exchange), readSwitchReport(exchange)].some(isRead);
      },
    };
  },
  rim: async () => {
    const manifests = await devNvidiaEndorsements(await createNvidiaPki(NOW_MS));
    return { seeds: Object.values(manifests), accepts: (bytes) => !hasDoctype(bytes) && isRead(parseRim(bytes)) };
  },
  certificate: async () => {
    const [tdx, snp] = await Promise.all([createTdxPki(NOW_MS), createSnpPki({ nowMs: NOW_MS })]);
    const accepts = (bytes: Uint8Array): boolean => {
      const certificate = parseCertificate(bytes);
      const extension = certificate?.extension(SGX_EXTENSION);
      if (extension) parsePckExtension(extension);
      if (certificate) readEndorsementKey(certificate);
      return certificate !== null;
    };
    return { seeds: [tdx.pck, tdx.root, snp.leaf, snp.ark].map(({ der }) => der), accepts };
  },
  crl: async () => {
    const { root, platformCa, pck } = await createTdxPki(NOW_MS);
    const lists = [
      issueCrl({ issuer: root, nowMs: NOW_MS }),
      issueCrl({ issuer: root, nowMs: NOW_MS, revoked: [platformCa, pck] }),
    ];
    return { seeds: await Promise.all(lists), accepts: (bytes) => isRead(parseCrl(bytes)) };
  },
  ocsp: async () => {
    const { deviceRoot: issuer, identityCa: certificate } = await createNvidiaPki(NOW_MS);
    const responder = await issueOcspResponder(issuer, NOW_MS);
    const answers = [
      issueOcsp({ certificate, issuer, responder, nowMs: NOW_MS }),
      issueOcsp({ certificate, issuer, nowMs: NOW_MS, status: 'revoked', isByName: true, nonce: NONCE }),
    ];
    return { seeds: await Promise.all(answers), accepts: (bytes) => isRead(parseOcsp(bytes)) };
  },
  pem: async () => {
    const { root, platformCa, pck } = await createTdxPki(NOW_MS);
    return { seeds: [utf8(pemOf(pck, platformCa, root))], accepts: (bytes) => isRead(parsePemChain(bytes)) };
  },
  cose: async () => {
    const pki = await createNitroPki({ nowMs: NOW_MS });
    const document = (fields = {}) => signNitroDocument({ pki, fields: { timestampMs: NOW_MS, ...fields } });
    const seeds = await Promise.all([document(), document({ nonce: NONCE, userData: filled(1, 64) })]);
    return { seeds, accepts: (bytes) => [parseCbor(bytes), parseNitroDocument(bytes)].every(isRead) };
  },
  jwt: async () => {
    const nras = await DevNras.create();
    const request = { nonce: NONCE, nowMs: NOW_MS, devices: [{ name: 'GPU-0', serial: '4a' }] };
    const bundle = (await nras.token(request)) as [[string, string], unknown];
    const keys = Object.values(nras.endorsements);
    const accepts = (bytes: Uint8Array): boolean => {
      const asText = bytes.length > 100_000 ? '' : String.fromCharCode(...bytes);
      return [parseNrasToken(jsonOf(bytes)), parseKeySet(bytes), parseJws(asText)].some(isRead);
    };
    return { seeds: [json(bundle), utf8(bundle[0][1]), ...keys], accepts };
  },
  'event-log': async () => {
    const digest = toHex(await eventDigest('image-digest', NONCE));
    const zLog = z.array(zRuntimeEvent).max(256);
    const accepts = async (bytes: Uint8Array): Promise<boolean> => {
      const log = zLog.safeParse(jsonOf(bytes)).data;
      return log !== undefined && isRead(await replayEventLog(log));
    };
    return { seeds: [json([{ name: 'image-digest', payload: toBase64(NONCE), digest }]), json([])], accepts };
  },
  bundle: async () => {
    const accepts = (bytes: Uint8Array): boolean => {
      const read = zEvidenceBundle.safeParse(jsonOf(bytes)).data;
      return read !== undefined && decodeBundle(read).decoded !== null;
    };
    return { seeds: [json(BUNDLE)], accepts };
  },
  policy: async () => ({
    seeds: [json(POLICIES), json({ tdx: POLICIES.tdx })],
    accepts: (bytes) => {
      const read = zTeePolicy.safeParse(jsonOf(bytes)).data;
      if (read?.nvidia) encodeNvidiaPolicy(read.nvidia);
      if (read?.tdx) encodeTdxPolicy(read.tdx);
      return read !== undefined;
    },
  }),
  collateral: async () => {
    const endorsements = await devTdxEndorsements({ pki: await createTdxPki(NOW_MS), nowMs: NOW_MS });
    const name = Object.keys(endorsements).find((key) => key.includes('/tcb-') && key.endsWith('.json')) ?? '';
    const fmspc = name.slice(name.indexOf('tcb-') + 4, -'.json'.length);
    const good = endorsements[name]!;
    const accepts = (bytes: Uint8Array): boolean =>
      !('flaw' in readCollateral({ ...endorsements, [name]: bytes }, fmspc));
    return { seeds: [good], accepts: (bytes) => name === TDX_ENDORSEMENTS.tcbInfo(fmspc) && accepts(bytes) };
  },
  'software-quote': async () => {
    const pki = await loadDevPki(await createDevPki(NOW_MS));
    const tee = await SoftwareTee.create({ pki, measurement: 'ab'.repeat(48) });
    return { seeds: [await tee.quote(filled(1, 64))], accepts: (bytes) => isRead(parseSoftwareQuote(bytes)) };
  },
};

async function quotes(version: 4 | 5): Promise<Omit<FuzzTarget, 'name'>> {
  const pki = await createTdxPki(NOW_MS);
  const quote = await signTdxQuote({ pki, version });
  return { seeds: [quote, concatBytes(quote, new Uint8Array(8))], accepts: (bytes) => isRead(parseQuote(bytes)) };
}

export const FUZZ_TARGETS: readonly string[] = Object.keys(MAKERS);

/** A parser by its name, ready; null for a name that nobody knows. */
export async function fuzzTarget(name: string): Promise<FuzzTarget | null> {
  const maker = MAKERS[name];
  return maker === undefined ? null : { name, ...(await maker()) };
}
