import { NVIDIA_ENDORSEMENTS, type Endorsements } from '@usufruct/attestation';
import { concatBytes, toBase64, toHex, utf8 } from '@usufruct/kernel';
import { signRaw, type DevAuthority } from '../authority.js';
import { DEV_GPU } from './gpu.js';
import type { NvidiaPki } from './pki.js';
import { DEV_SWITCH } from './switch.js';

export interface RimRequest {
  /** Signer first, root last. */
  readonly chain: readonly DevAuthority[];
  readonly version: string;
  /** By index from 0: the values of those that are active. */
  readonly golden: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly product?: string;
  /** Changes the document after it was signed. */
  readonly alter?: (text: string) => string;
}

const SWID = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const HASHES = 'http://www.w3.org/2001/04/xmlenc#sha384';
const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#';
const C14N = 'http://www.w3.org/2006/12/xml-c14n11';
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const INDICES = 64;

/**
 * DEV ONLY: a reference manifest in the form that NVIDIA signs. The text is written canonically to begin with, so that
 * nothing here needs the canonicalisation which it is meant to test.
 */
export async function devRim({ chain, version, golden, product = 'GH100', alter }: RimRequest): Promise<Uint8Array> {
  const resources = Array.from({ length: INDICES }, (_, index) => resourceOf(index, golden.get(index)));
  const open = `<SoftwareIdentity xmlns="${SWID}" xmlns:ns0="${SWID}" xmlns:ns2="${HASHES}" name="${product}">`;
  const body = [
    `<ns0:Meta colloquialVersion="${version}" product="${product}"></ns0:Meta>`,
    `<ns0:Payload>${resources.join('\n')}</ns0:Payload>\n`,
  ].join('\n');
  const close = '</SoftwareIdentity>';
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', concatBytes(utf8(open + body + close))));
  const info = signedInfo(toBase64(digest));
  const inScope = `xmlns="${SWID}" xmlns:ds="${XMLDSIG}" xmlns:ns0="${SWID}" xmlns:ns2="${HASHES}"`;
  const signature = await signRaw(chain[0]!.keys, utf8(`<ds:SignedInfo ${inScope}>${info}</ds:SignedInfo>`), 'P-384');
  const certificates = chain.map(({ der }) => `<ds:X509Certificate>${toBase64(der)}</ds:X509Certificate>`).join('');
  const signed =
    `<ds:Signature xmlns:ds="${XMLDSIG}"><ds:SignedInfo>${info}</ds:SignedInfo>` +
    `<ds:SignatureValue>${toBase64(signature)}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data>${certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>`;
  const text = open + body + signed + close;
  return utf8(alter === undefined ? text : alter(text));
}

function resourceOf(index: number, values: readonly Uint8Array[] | undefined): string {
  const hashes = (values ?? [new Uint8Array(48)]).map((value, i) => `ns2:Hash${i}="${toHex(value)}"`);
  const alternatives = hashes.length;
  const plain = `active="${values === undefined ? 'False' : 'True'}" alternatives="${alternatives}" index="${index}"`;
  return `<ns0:Resource ${plain} name="Measurement_${index}" size="48" type="Measurement" ${hashes.join(' ')}></ns0:Resource>`;
}

const signedInfo = (digest: string): string => {
  const element = (name: string, algorithm: string): string => `<ds:${name} Algorithm="${algorithm}"></ds:${name}>`;
  const transforms = element('Transform', `${XMLDSIG}enveloped-signature`) + element('Transform', C14N);
  return [
    element('CanonicalizationMethod', C14N),
    element('SignatureMethod', `${MORE}ecdsa-sha384`),
    `<ds:Reference URI=""><ds:Transforms>${transforms}</ds:Transforms>`,
    element('DigestMethod', `${MORE}sha384`),
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`,
  ].join('');
};

/** Names by which the verifier finds the manifests of `DEV_GPU` and `DEV_SWITCH`. */
export const DEV_RIM_NAMES = {
  driver: NVIDIA_ENDORSEMENTS.rim(NVIDIA_ENDORSEMENTS.driverRimId('GH100', DEV_GPU.driverVersion)),
  vbios: NVIDIA_ENDORSEMENTS.rim('NV_GPU_VBIOS_1010_0200_882_96005E0001'),
  switch: NVIDIA_ENDORSEMENTS.rim('NV_SWITCH_BIOS_5612_0002_890_96106D0001'),
} as const;

/** DEV ONLY: the manifest of `DEV_SWITCH`: index i is measurement i + 1. */
export async function devSwitchEndorsements(pki: NvidiaPki, changes: Partial<RimRequest> = {}): Promise<Endorsements> {
  const golden = new Map([...DEV_SWITCH.measurements].map(([index, value]) => [index - 1, [value]]));
  const manifest = { chain: pki.rim, version: DEV_SWITCH.biosVersion, product: 'LS10', golden };
  return { [DEV_RIM_NAMES.switch]: await devRim({ ...manifest, ...changes }) };
}

/** DEV ONLY: the manifests of `DEV_GPU`: index i of a manifest is measurement i + 1. What is not said is good. */
export async function devNvidiaEndorsements(
  pki: NvidiaPki,
  changes: { readonly driver?: Partial<RimRequest>; readonly vbios?: Partial<RimRequest> } = {},
): Promise<Endorsements> {
  const golden = (parity: number) =>
    new Map(
      [...DEV_GPU.measurements].filter(([index]) => index % 2 === parity).map(([index, value]) => [index - 1, [value]]),
    );
  const [driver, vbios] = await Promise.all([
    devRim({ chain: pki.rim, version: DEV_GPU.driverVersion, golden: golden(1), ...changes.driver }),
    devRim({ chain: pki.rim, version: '96.00.5E.00.01', golden: golden(0), ...changes.vbios }),
  ]);
  return { [DEV_RIM_NAMES.driver]: driver, [DEV_RIM_NAMES.vbios]: vbios };
}
