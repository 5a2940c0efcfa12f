import { fromBase64, fromUtf8, toBase64, utf8 } from '@usufruct/kernel';
import { hasEcdsaSignature } from '../x509/certificate.js';
import { parseChain, type CertificateChain } from '../x509/chain.js';
import { canonicalize, namespaceOf, parseXml, scopeOf, XML_BYTES_AT_MOST, type Scope, type XmlElement } from './xml.js';

/** A reference integrity manifest (TCG RIM information model, as a SWID tag) and what signed it. */
export interface Rim {
  /** 'GH100' */
  readonly product: string;
  /** Of the driver or of the VBIOS that it is for. */
  readonly version: string;
  /** By index, which starts at 0: the values that are good; only of those that are active. */
  readonly golden: ReadonlyMap<number, readonly string[]>;
  readonly chain: CertificateChain;
  /** True if document and signature are what the leaf of the chain signed. */
  readonly isSigned: () => Promise<boolean>;
}

const SWID = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const SHA384_HASH = 'http://www.w3.org/2001/04/xmlenc#sha384';
const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#';
const HASH = /^[0-9a-f]{96}$/;

/**
 * SignedInfo with its digest left open, canonical. NVIDIA signs in this one form; that nothing else is accepted (one
 * reference, to the whole document, with these transforms) is what keeps a signature from being about something else.
 */
const signedInfo = (digest: string): string =>
  [
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:CanonicalizationMethod>',
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod>',
    '<ds:Reference URI=""><ds:Transforms>',
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>',
    '<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform></ds:Transforms>',
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"></ds:DigestMethod>',
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
  ].join('');

/** A document type could change what the rest of the document means. */
export const hasDoctype = (bytes: Uint8Array): boolean =>
  new TextDecoder().decode(bytes.subarray(0, XML_BYTES_AT_MOST)).includes('<!DOCTYPE');

/** Null for anything that is not one signed manifest of this form. Whether its signature holds is `isSigned`. */
export function parseRim(bytes: Uint8Array): Rim | null {
  try {
    const root = bytes.length > XML_BYTES_AT_MOST ? null : parseXml(fromUtf8(bytes));
    return root && readRim(root);
  } catch {
    return null;
  }
}

function readRim(root: XmlElement): Rim | null {
  const scope = scopeOf(root);
  if (root.name !== 'SoftwareIdentity' || namespaceOf(root.name, scope) !== SWID) return null;
  const signature = root.children.at(-1);
  if (signature === undefined || typeof signature === 'string' || signature.name !== 'ds:Signature') return null;
  const content = { ...root, children: root.children.slice(0, -1) };
  if (hasSignature(content)) return null;
  const [meta, ...metas] = childrenOf(content, 'Meta', scope);
  const [payload, ...payloads] = childrenOf(content, 'Payload', scope);
  const golden = payload && readGolden(payload, scope);
  const signed = readSignature(signature, content, scope);
  const [product, version] = [meta?.attributes.get('product'), meta?.attributes.get('colloquialVersion')];
  if (!golden || signed === null || product === undefined || version === undefined) return null;
  return metas.length + payloads.length === 0 ? { product, version, golden, ...signed } : null;
}

const elementsOf = ({ children }: XmlElement): XmlElement[] => children.filter((child) => typeof child !== 'string');
const hasSignature = (element: XmlElement): boolean =>
  elementsOf(element).some((child) => child.name.endsWith('Signature') || hasSignature(child));
const childrenOf = (element: XmlElement, local: string, scope: Scope): XmlElement[] =>
  elementsOf(element).filter(
    (child) => child.name.split(':').at(-1) === local && namespaceOf(child.name, scopeOf(child, scope)) === SWID,
  );

function readGolden(payload: XmlElement, outer: Scope): ReadonlyMap<number, readonly string[]> | null {
  const scope = scopeOf(payload, outer);
  const [golden, seen] = [new Map<number, readonly string[]>(), new Set<number>()];
  for (const resource of childrenOf(payload, 'Resource', scope)) {
    const index = Number(resource.attributes.get('index') ?? Number.NaN);
    const hashes = readHashes(resource, scopeOf(resource, scope));
    const isActive = resource.attributes.get('active');
    if (!Number.isInteger(index) || seen.has(index) || hashes === null) return null;
    if (resource.attributes.get('type') !== 'Measurement' || (isActive !== 'True' && isActive !== 'False')) return null;
    seen.add(index);
    if (isActive === 'True') golden.set(index, hashes);
  }
  return golden;
}

/** Hash0, Hash1, …: as many as `alternatives` says. */
function readHashes({ attributes }: XmlElement, scope: Scope): readonly string[] | null {
  const hashes: string[] = [];
  for (const [name, value] of attributes) {
    if (namespaceOf(name, scope, true) !== SHA384_HASH) continue;
    if (!name.endsWith(`:Hash${hashes.length}`) || !HASH.test(value)) return null;
    hashes.push(value);
  }
  return hashes.length > 0 && String(hashes.length) === attributes.get('alternatives') ? hashes : null;
}

/** XMLDSig 1.1 §3.2: reference validation, then signature validation. */
function readSignature(
  signature: XmlElement,
  content: XmlElement,
  outer: Scope,
): Pick<Rim, 'chain' | 'isSigned'> | null {
  const scope = scopeOf(signature, outer);
  const [info, value, keyInfo, ...more] = elementsOf(signature);
  if (scope.get('ds') !== XMLDSIG || signature.attributes.size > 0 || more.length > 0) return null;
  if (info?.name !== 'ds:SignedInfo' || value?.name !== 'ds:SignatureValue' || keyInfo?.name !== 'ds:KeyInfo')
    return null;
  const [document, infoText] = [canonicalize(content), canonicalize(info, scope)];
  const chain = readKeyInfo(keyInfo);
  const signatureBytes = fromBase64(textOf(value));
  if (document === null || infoText === null || chain === null || signatureBytes.length !== 96) return null;
  const isSigned = async (): Promise<boolean> => {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', Uint8Array.from(utf8(document))));
    // What stands before the first child are the namespaces around it, which Canonical XML renders on it.
    const isForm = infoText.slice(infoText.indexOf('>') + 1) === signedInfo(toBase64(digest));
    return isForm && hasEcdsaSignature(chain[0]!, 'SHA-384', signatureBytes, utf8(infoText));
  };
  return { chain, isSigned };
}

function readKeyInfo(keyInfo: XmlElement): CertificateChain | null {
  const [data, ...more] = elementsOf(keyInfo);
  if (data?.name !== 'ds:X509Data' || more.length > 0) return null;
  const certificates = elementsOf(data);
  if (!certificates.every(({ name }) => name === 'ds:X509Certificate')) return null;
  return parseChain(certificates.map((certificate) => fromBase64(textOf(certificate))));
}

const textOf = ({ children }: XmlElement): string =>
  children
    .map((child) => (typeof child === 'string' ? child : '*'))
    .join('')
    .replaceAll(/[ \n\t]/g, '');
