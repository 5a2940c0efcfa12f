import { createRequire } from 'node:module';
import { TDX_ENDORSEMENTS, type Endorsements } from '@usufruct/attestation';
import { fromUtf8, toHex } from '@usufruct/kernel';

/** What the library wants of Intel's endorsements: documents apart from their signatures, lists in hex. */
type BareCollateral = Readonly<Record<string, string>>;
interface BareVerifier {
  verify(quote: Uint8Array, collateral: BareCollateral, nowSeconds: number): { readonly status: string };
}
interface BareLibrary {
  readonly QuoteVerifier: new (rootDer: Uint8Array) => BareVerifier;
}

// CommonJS, and its own types ask for a DOM that Node does not have.
const { QuoteVerifier } = createRequire(import.meta.url)('@phala/dcap-qvl') as BareLibrary;

/** `@phala/dcap-qvl` as it comes: the peer, which leaves out most of what a strict appraisal checks. */
export function bareVerification(
  quote: Uint8Array,
  collateral: BareCollateral,
  root: Uint8Array,
  nowMs: number,
): () => void {
  const verifier = new QuoteVerifier(Buffer.from(root));
  const nowSeconds = Math.floor(nowMs / 1000);
  return () => {
    const { status } = verifier.verify(Buffer.from(quote), collateral, nowSeconds);
    if (status !== 'UpToDate') throw new Error(`the bare library says ${status}`);
  };
}

/** The same endorsements as the strict appraisal gets, in the library's form. */
export function bareCollateral(endorsements: Endorsements, fmspc: string): BareCollateral {
  const hex = (name: string): string => toHex(endorsements[name]!);
  const text = (name: string): string => fromUtf8(endorsements[name]!);
  const { rootCrl, pckCrl, tcbInfo, tcbInfoChain, qeIdentity, qeIdentityChain } = TDX_ENDORSEMENTS;
  const [info, infoSignature] = apart(text(tcbInfo(fmspc)));
  const [identity, identitySignature] = apart(text(qeIdentity));
  return {
    pck_crl_issuer_chain: text(tcbInfoChain),
    root_ca_crl: hex(rootCrl),
    pck_crl: hex(pckCrl('platform')),
    tcb_info: info,
    tcb_info_signature: infoSignature,
    tcb_info_issuer_chain: text(tcbInfoChain),
    qe_identity: identity,
    qe_identity_signature: identitySignature,
    qe_identity_issuer_chain: text(qeIdentityChain),
  };
}

/** `{"name":{…},"signature":"…"}` → the inner document as it is served, and the signature. */
function apart(document: string): [string, string] {
  const { signature } = JSON.parse(document) as { readonly signature: string };
  return [document.slice(document.indexOf('{', 1), document.lastIndexOf(',"signature"')), signature];
}
