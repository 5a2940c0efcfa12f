import { refuse } from '@usufruct/kernel';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  X509Certificate,
  X509CertificateGenerator,
} from './x509.js';

const P384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
const TERM_MS = 10 * 365 * 24 * 60 * 60_000;
/** Certificates count whole seconds, and clocks of processes on one machine may differ a little. */
const BACKDATE_MS = 60 * 60_000;

/** Names of the files of a development PKI, as the launcher writes them into one directory. */
export const DEV_PKI_FILES = {
  root: 'dev-root.pem',
  intermediate: 'dev-intermediate.pem',
  leaf: 'dev-leaf.pem',
  leafKey: 'dev-leaf-key.pem',
} as const;
export type DevPkiFiles = Readonly<Record<keyof typeof DEV_PKI_FILES, string>>;

/** What the software TEE quotes with. */
export interface DevPki {
  readonly leafKey: CryptoKey;
  /** DER: leaf, intermediate, root. */
  readonly chain: readonly Uint8Array[];
  readonly rootPem: string;
}

/**
 * Make a development PKI: P-384 root → intermediate → leaf, every name ends in DEV ONLY. Returns the contents of the
 * files; the keys of root and intermediate are forgotten at once, so no further leaf can be issued. Keys come from the
 * platform's WebCrypto.
 */
export async function createDevPki(nowMs: number): Promise<DevPkiFiles> {
  const [root, intermediate, leaf] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const issue = certificateIssuer(nowMs);
  const rootName = nameOf('Root');
  const middleName = nameOf('Intermediate');
  const rootPem = await issue({ name: rootName, issuer: rootName, key: root.publicKey, by: root.privateKey, below: 1 });
  const intermediatePem = await issue({
    name: middleName,
    issuer: rootName,
    key: intermediate.publicKey,
    by: root.privateKey,
    below: 0,
  });
  const leafPem = await issue({
    name: nameOf('Leaf'),
    issuer: middleName,
    key: leaf.publicKey,
    by: intermediate.privateKey,
    below: null,
  });
  const leafKey = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', leaf.privateKey), 'PRIVATE KEY');
  return { root: rootPem, intermediate: intermediatePem, leaf: leafPem, leafKey };
}

/** Read the contents of the files back. Refuses `CONFIG_INVALID` when one of them is not what it must be. */
export async function loadDevPki(files: DevPkiFiles): Promise<DevPki> {
  try {
    const pkcs8 = PemConverter.decodeFirst(files.leafKey);
    const leafKey = await crypto.subtle.importKey('pkcs8', pkcs8, P384, false, ['sign']);
    const chain = [files.leaf, files.intermediate, files.root].map(
      (pem) => new Uint8Array(new X509Certificate(pem).rawData),
    );
    return { leafKey, chain, rootPem: files.root };
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: "the software TEE's PKI", expected: 'four PEM files' }, cause);
  }
}

const nameOf = (role: string): string => `CN=Usufruct Software TEE ${role} DEV ONLY`;

const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(P384, true, ['sign', 'verify']);

interface CertificateRequest {
  readonly name: string;
  readonly issuer: string;
  readonly key: CryptoKey;
  readonly by: CryptoKey;
  /** How many CAs may stand below this one; null for an end entity. */
  readonly below: number | null;
}

function certificateIssuer(nowMs: number): (request: CertificateRequest) => Promise<string> {
  return async ({ name, issuer, key, by, below }) => {
    const certificate = await X509CertificateGenerator.create({
      subject: name,
      issuer,
      publicKey: key,
      signingKey: by,
      signingAlgorithm: P384,
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(nowMs + TERM_MS),
      extensions: [
        new BasicConstraintsExtension(below !== null, below ?? undefined, true),
        new KeyUsagesExtension(below === null ? KeyUsageFlags.digitalSignature : KeyUsageFlags.keyCertSign, true),
      ],
    });
    return certificate.toString('pem');
  };
}
