import { fromHex } from '@usufruct/kernel';
import { der, derInteger, derObjectId, derOctets, derSequence } from '../der.js';
import { issueAuthority, type DevAuthority } from '../authority.js';

/** What a platform is made of: who may sign what, named as Intel names it. */
export interface TdxPki {
  readonly root: DevAuthority;
  readonly platformCa: DevAuthority;
  readonly pck: DevAuthority;
  readonly tcbSigning: DevAuthority;
}

/** What Intel would certify of the platform. */
export interface PlatformFacts {
  readonly ppid: string;
  readonly fmspc: string;
  readonly pceId: string;
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
}

export const DEV_PLATFORM: PlatformFacts = {
  ppid: 'de'.repeat(16),
  fmspc: 'de0000000001',
  pceId: '0000',
  componentSvns: [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 13,
};

const SGX_EXTENSION = '1.2.840.113741.1.13.1';

/** SGX PCK Certificate and CRL Profile, §1.3.5: the extension that says what the platform is. */
export function sgxExtension(platform: PlatformFacts): Uint8Array {
  const pair = (suffix: string, value: Uint8Array): Uint8Array =>
    derSequence(derObjectId(`${SGX_EXTENSION}.${suffix}`), value);
  const components = platform.componentSvns.map((svn, i) => pair(`2.${i + 1}`, derInteger(svn)));
  const tcb = derSequence(
    ...components,
    pair('2.17', derInteger(platform.pceSvn)),
    pair('2.18', derOctets(Uint8Array.from(platform.componentSvns))),
  );
  return derSequence(
    pair('1', derOctets(fromHex(platform.ppid))),
    pair('2', tcb),
    pair('3', derOctets(fromHex(platform.pceId))),
    pair('4', derOctets(fromHex(platform.fmspc))),
    pair('5', der(0x0a, Uint8Array.of(1))),
  );
}

/**
 * DEV ONLY: a root, a platform CA, the certificate of one platform and a signer of TCB info, all under generated keys
 * that are Intel's in form alone. Every name says so.
 */
export async function createTdxPki(nowMs: number, platform: PlatformFacts = DEV_PLATFORM): Promise<TdxPki> {
  const root = await issueAuthority({ commonName: 'Intel SGX Root CA', isCa: true, nowMs });
  const platformCa = await issueAuthority({ commonName: 'Intel SGX PCK Platform CA', issuer: root, isCa: true, nowMs });
  const [pck, tcbSigning] = await Promise.all([
    issuePck({ issuer: platformCa, nowMs, platform }),
    issueAuthority({ commonName: 'Intel SGX TCB Signing', issuer: root, isCa: false, nowMs }),
  ]);
  return { root, platformCa, pck, tcbSigning };
}

interface PckRequest {
  readonly issuer: DevAuthority;
  readonly nowMs: number;
  readonly platform?: PlatformFacts;
  readonly commonName?: string;
  readonly isCa?: boolean;
  readonly untilDays?: number;
}

export const issuePck = ({ platform = DEV_PLATFORM, ...request }: PckRequest): Promise<DevAuthority> =>
  issueAuthority({
    commonName: 'Intel SGX PCK Certificate',
    isCa: false,
    ...request,
    extensions: { [SGX_EXTENSION]: sgxExtension(platform) },
  });
