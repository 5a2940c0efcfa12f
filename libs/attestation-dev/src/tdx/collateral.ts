import { TDX_ENDORSEMENTS, type Endorsements } from '@usufruct/attestation';
import { toHex, utf8 } from '@usufruct/kernel';
import { issueCrl, pemOf, signRaw, type CrlRequest, type DevAuthority } from '../authority.js';
import { DEV_PLATFORM, type TdxPki } from './pki.js';
import { DEV_QE } from './quote.js';

type Json = Readonly<Record<string, unknown>>;

export interface CollateralRequest {
  readonly pki: TdxPki;
  readonly nowMs: number;
  /** Members in place of good ones. */
  readonly tcbInfo?: Json;
  readonly qeIdentity?: Json;
  readonly tcbInfoSigner?: DevAuthority;
  readonly qeIdentitySigner?: DevAuthority;
  /** PEM, where it is not the signer's and the root's. */
  readonly tcbInfoChain?: string;
  readonly qeIdentityChain?: string;
  readonly rootCrl?: Partial<CrlRequest>;
  readonly pckCrl?: Partial<CrlRequest>;
}

const DAY_MS = 24 * 60 * 60_000;
const isoTime = (nowMs: number, days: number): string =>
  `${new Date(nowMs + days * DAY_MS).toISOString().slice(0, 19)}Z`;
const svns = (...values: readonly number[]): { svn: number }[] =>
  Array.from({ length: 16 }, (_, i) => ({ svn: values[i] ?? 0 }));
const ANY_SIGNER = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) };

/** TCB info v3 as Intel serves it: the platform of the PKI is up to date, below it everything has an advisory. */
export const devTcbInfo = (nowMs: number): Json => ({
  id: 'TDX',
  version: 3,
  issueDate: isoTime(nowMs, -1),
  nextUpdate: isoTime(nowMs, 29),
  fmspc: DEV_PLATFORM.fmspc.toUpperCase(),
  pceId: DEV_PLATFORM.pceId,
  tcbType: 0,
  tcbEvaluationDataNumber: 18,
  tdxModule: ANY_SIGNER,
  tdxModuleIdentities: [
    {
      id: 'TDX_01',
      ...ANY_SIGNER,
      tcbLevels: [
        { tcb: { isvsvn: 5 }, tcbDate: isoTime(nowMs, -100), tcbStatus: 'UpToDate' },
        {
          tcb: { isvsvn: 3 },
          tcbDate: isoTime(nowMs, -200),
          tcbStatus: 'OutOfDate',
          advisoryIDs: ['INTEL-SA-09902'],
        },
      ],
    },
  ],
  tcbLevels: [
    {
      tcb: {
        sgxtcbcomponents: svns(...DEV_PLATFORM.componentSvns),
        pcesvn: DEV_PLATFORM.pceSvn,
        tdxtcbcomponents: svns(5, 0, 3),
      },
      tcbDate: isoTime(nowMs, -100),
      tcbStatus: 'UpToDate',
    },
    {
      tcb: { sgxtcbcomponents: svns(2, 2), pcesvn: 5, tdxtcbcomponents: svns(3, 0, 2) },
      tcbDate: isoTime(nowMs, -200),
      tcbStatus: 'OutOfDate',
      advisoryIDs: ['INTEL-SA-09901'],
    },
  ],
});

/** The identity of the quoting enclave, v2, as Intel serves it. */
export const devQeIdentity = (nowMs: number): Json => ({
  id: 'TD_QE',
  version: 2,
  issueDate: isoTime(nowMs, -1),
  nextUpdate: isoTime(nowMs, 29),
  tcbEvaluationDataNumber: 18,
  miscselect: '00000000',
  miscselectMask: 'FFFFFFFF',
  attributes: '11000000000000000000000000000000',
  attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
  mrsigner: toHex(DEV_QE.mrSigner).toUpperCase(),
  isvprodid: DEV_QE.isvProdId,
  tcbLevels: [
    { tcb: { isvsvn: 4 }, tcbDate: isoTime(nowMs, -100), tcbStatus: 'UpToDate' },
    { tcb: { isvsvn: 2 }, tcbDate: isoTime(nowMs, -200), tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-09903'] },
  ],
});

/** DEV ONLY: everything that a verifier would fetch from Intel, signed by generated keys. What is not said is good. */
export async function devTdxEndorsements(request: CollateralRequest): Promise<Endorsements> {
  const { pki, nowMs } = request;
  const [tcbSigner, qeSigner] = [request.tcbInfoSigner ?? pki.tcbSigning, request.qeIdentitySigner ?? pki.tcbSigning];
  const [tcbInfo, qeIdentity, rootCrl, pckCrl] = await Promise.all([
    signedDocument('tcbInfo', { ...devTcbInfo(nowMs), ...request.tcbInfo }, tcbSigner),
    signedDocument('enclaveIdentity', { ...devQeIdentity(nowMs), ...request.qeIdentity }, qeSigner),
    issueCrl({ issuer: pki.root, nowMs, ...request.rootCrl }),
    issueCrl({ issuer: pki.platformCa, nowMs, ...request.pckCrl }),
  ]);
  return {
    [TDX_ENDORSEMENTS.tcbInfo(DEV_PLATFORM.fmspc)]: tcbInfo,
    [TDX_ENDORSEMENTS.tcbInfoChain]: utf8(request.tcbInfoChain ?? pemOf(tcbSigner, pki.root)),
    [TDX_ENDORSEMENTS.qeIdentity]: qeIdentity,
    [TDX_ENDORSEMENTS.qeIdentityChain]: utf8(request.qeIdentityChain ?? pemOf(qeSigner, pki.root)),
    [TDX_ENDORSEMENTS.rootCrl]: rootCrl,
    [TDX_ENDORSEMENTS.pckCrl('platform')]: pckCrl,
  };
}

/** The document's bytes are signed as they are served, so nothing serialises them a second time. */
async function signedDocument(member: string, value: Json, signer: DevAuthority): Promise<Uint8Array> {
  const text = JSON.stringify(value);
  return utf8(`{"${member}":${text},"signature":"${toHex(await signRaw(signer.keys, utf8(text)))}"}`);
}
