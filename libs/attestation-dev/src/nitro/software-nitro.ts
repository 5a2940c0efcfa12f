import {
  encodeCoseSign1,
  nitroMeasurement,
  sigStructure,
  type NitroPolicy,
  type TeeDevice,
} from '@usufruct/attestation';
import { toHex } from '@usufruct/kernel';
import { issueAuthority, signRaw, type CertificateRequest, type DevAuthority } from '../authority.js';
import { encodeCbor, type CborInput } from './cbor.js';

/** The hypervisor's hierarchy in form: root, region, zone, instance, and the signer of documents. */
export interface NitroPki {
  readonly root: DevAuthority;
  readonly region: DevAuthority;
  readonly zone: DevAuthority;
  readonly instance: DevAuthority;
  readonly leaf: DevAuthority;
}

export const DEV_NITRO_MODULE = 'i-0000000000000dev0-enc00000000000dev00';
const CURVE = 'P-384';

export interface NitroPkiRequest {
  readonly nowMs: number;
  /** What differs from a good certificate, by its place. */
  readonly changes?: Partial<Record<keyof NitroPki, Partial<CertificateRequest>>>;
}

/** DEV ONLY: keys and names as AWS has them, generated. Every organisation says DEV ONLY. */
export async function createNitroPki({ nowMs, changes = {} }: NitroPkiRequest): Promise<NitroPki> {
  const issue = (place: keyof NitroPki, commonName: string, issuer?: DevAuthority): Promise<DevAuthority> =>
    issueAuthority({
      commonName,
      isCa: place !== 'leaf',
      nowMs,
      curve: CURVE,
      ...(issuer === undefined ? {} : { issuer }),
      ...changes[place],
    });
  const root = await issue('root', 'aws.nitro-enclaves');
  const region = await issue('region', 'dev-region.us-east-1.aws.nitro-enclaves', root);
  const zone = await issue('zone', 'dev-zone.zonal.us-east-1.aws.nitro-enclaves', region);
  const instance = await issue('instance', 'i-0000000000000dev0.us-east-1.aws.nitro-enclaves', zone);
  const leaf = await issue('leaf', `${DEV_NITRO_MODULE}.us-east-1.aws`, instance);
  return { root, region, zone, instance, leaf };
}

/** Fields of a document; what is null is written as null, as the hypervisor does for what was not asked for. */
export interface NitroFields {
  readonly moduleId: string;
  readonly timestampMs: number;
  readonly digest: string;
  /** By index, 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

const filled = (value: number): Uint8Array => new Uint8Array(48).fill(value);
export const DEV_NITRO_PCRS: ReadonlyMap<number, Uint8Array> = new Map(
  // PCR0 to PCR4 are measured, the rest of the sixteen that the hypervisor locks is zero.
  Array.from({ length: 16 }, (_, index) => [index, filled(index < 5 ? 0xe0 + index : 0)]),
);

export interface NitroDocumentRequest {
  readonly pki: NitroPki;
  readonly fields: Partial<NitroFields> & Pick<NitroFields, 'timestampMs'>;
  /** Who signs, when it is not the leaf. */
  readonly signer?: CryptoKeyPair;
  /** DER, the root first. */
  readonly bundle?: readonly Uint8Array[];
  /** Changes the fields of the document before it is signed. */
  readonly alter?: (pairs: [CborInput, CborInput][]) => readonly (readonly [CborInput, CborInput])[];
}

/** DEV ONLY: a signed attestation document in the hypervisor's format. */
export async function signNitroDocument(request: NitroDocumentRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { pki, signer = pki.leaf.keys, alter = (pairs) => pairs } = request;
  const bundle = request.bundle ?? [pki.root, pki.region, pki.zone, pki.instance].map(({ der }) => der);
  const fields: NitroFields = {
    moduleId: DEV_NITRO_MODULE,
    digest: 'SHA384',
    pcrs: DEV_NITRO_PCRS,
    publicKey: null,
    userData: null,
    nonce: null,
    ...request.fields,
  };
  const pairs: [CborInput, CborInput][] = [
    ['module_id', fields.moduleId],
    ['digest', fields.digest],
    ['timestamp', fields.timestampMs],
    ['pcrs', { pairs: [...fields.pcrs] }],
    ['certificate', pki.leaf.der],
    ['cabundle', bundle],
    ['public_key', fields.publicKey],
    ['user_data', fields.userData],
    ['nonce', fields.nonce],
  ];
  const payload = encodeCbor({ pairs: alter(pairs) });
  return encodeCoseSign1(payload, await signRaw(signer, sigStructure(payload), CURVE));
}

export interface SoftwareNitroOptions {
  readonly pki: NitroPki;
  /** The policy that the measurement names. */
  readonly policy: NitroPolicy;
  /** When documents say that they were made. */
  readonly nowMs: () => number;
  readonly fields?: Partial<NitroFields>;
  /** Anything else of the document that is not as it should be. */
  readonly document?: Partial<NitroDocumentRequest>;
}

/**
 * DEV ONLY. An enclave without a hypervisor: its documents have the format of AWS, but every key under them is generated,
 * and only a verifier that was given the generated root believes them.
 */
export class SoftwareNitro implements TeeDevice {
  readonly profile = 'nitro';
  readonly standIn = true;
  readonly eventLog = [];

  constructor(private readonly options: SoftwareNitroOptions) {}

  measurement(): Promise<string> {
    const pcrs = this.options.fields?.pcrs ?? DEV_NITRO_PCRS;
    const hex = (index: number): string => toHex(pcrs.get(index) ?? filled(0));
    return nitroMeasurement({ pcr0: hex(0), pcr1: hex(1), pcr2: hex(2) }, this.options.policy);
  }

  quote(reportData: Uint8Array): Promise<Uint8Array> {
    const { pki, nowMs, fields, document } = this.options;
    const bound = { timestampMs: nowMs(), userData: reportData, nonce: reportData.subarray(32) };
    return signNitroDocument({ pki, fields: { ...bound, ...fields }, ...document });
  }
}
