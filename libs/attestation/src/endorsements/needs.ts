import { fromBase64, utf8 } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { checkGpuSignature, type Device } from '../nvidia/checks.js';
import { modelOf } from '../nvidia/device.js';
import { NVIDIA_ENDORSEMENTS } from '../nvidia/endorsements.js';
import { readDevices } from '../nvidia/inspect.js';
import { parseRim } from '../nvidia/rim.js';
import { pinnedRoots, type RootSet } from '../roots.js';
import { readEvidence } from '../snp/inspect.js';
import { INTEL, pckCaOf } from '../tdx/chain-checks.js';
import { readQuote } from '../tdx/inspect.js';
import { isRootPinned, P384_CHAIN, pathFlaw, type CertificateChain, type ChainProfile } from '../x509/chain.js';
import { encodePemChain } from '../x509/pem.js';
import { itemOfName, nameOfItem, type EndorsementItem } from './item.js';

/** An item, and where it is about certificates: which they are, in PEM, as `EndorsementBytes` has them. */
export interface EndorsementNeed {
  readonly item: EndorsementItem;
  readonly issuers: Uint8Array | null;
}
const needOf = (item: EndorsementItem): EndorsementNeed => ({ item, issuers: null });

/**
 * Which endorsements an appraisal of this bundle will look for. Nobody has judged the bundle yet, so only what a chain
 * to a pinned root vouches for is believed of it: anybody could make a verifier ask a vendor for anything otherwise.
 * Dates are left to the appraisal. Empty for evidence that needs nothing, or that could not pass with anything.
 */
export async function endorsementNeeds(bundle: EvidenceBundle, roots: RootSet): Promise<readonly EndorsementNeed[]> {
  const cpu = decoded(bundle.cpuEvidence);
  const gpus = (bundle.gpuEvidence ?? []).map(decoded).filter((bytes) => bytes !== null);
  const found: (readonly EndorsementNeed[])[] = [];
  if (cpu !== null && (bundle.profile === 'tdx' || bundle.profile === 'tdx+nv'))
    found.push((await tdxNeeds(cpu, roots)).map(needOf));
  if (cpu !== null && bundle.profile === 'snp') found.push((await snpNeeds(cpu, roots)).map(needOf));
  if (bundle.profile === 'tdx+nv') found.push(await gpuNeeds(gpus, roots, bundle.gpuToken !== undefined));
  const unique = new Map(found.flat().map((need) => [nameOfItem(need.item), need]));
  return [...unique.values()];
}

function decoded(text: string): Uint8Array | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

async function isVouchedFor(
  chain: CertificateChain,
  profile: ChainProfile,
  pinned: readonly string[],
): Promise<boolean> {
  return isRootPinned(chain, pinned) && (await pathFlaw(chain, profile, null)) === null;
}

/** What every platform of a family and every quoting enclave needs; the FMSPC is in the PCK certificate. */
async function tdxNeeds(bytes: Uint8Array, roots: RootSet): Promise<readonly EndorsementItem[]> {
  const quote = readQuote(bytes);
  const ca = quote && pckCaOf(quote.pck);
  if (quote === null || ca === null) return [];
  if (!(await isVouchedFor(quote.pck, INTEL, pinnedRoots(roots, 'intel')))) return [];
  return intelItems(quote.extension.fmspc, [ca]);
}

/** Everything of Intel's for one family of platforms. */
export const intelItems = (fmspc: string, cas: readonly ('platform' | 'processor')[]): readonly EndorsementItem[] => [
  { kind: 'intel-tcb-info', fmspc },
  { kind: 'intel-qe-identity' },
  { kind: 'intel-root-crl' },
  ...cas.map((ca) => ({ kind: 'intel-pck-crl', ca }) as const),
];

/** AMD's chain is what would vouch for the certificate, so there is nothing to hold it against yet. */
async function snpNeeds(bytes: Uint8Array, roots: RootSet): Promise<readonly EndorsementItem[]> {
  const evidence = readEvidence(bytes);
  if (evidence === null || pinnedRoots(roots, 'amd').length === 0) return [];
  const { kind, product } = evidence.key;
  return [
    { kind: 'amd-chain', key: kind, product },
    { kind: 'amd-crl', product },
  ];
}

/**
 * The manifests that the reports of GPUs and NVSwitches name, what NVIDIA answers about the devices' certificates, and its
 * keys where there is a token. Each report is signed and its chain a device's.
 */
async function gpuNeeds(
  evidence: readonly Uint8Array[],
  roots: RootSet,
  hasToken: boolean,
): Promise<readonly EndorsementNeed[]> {
  const shown = readDevices(evidence);
  if (shown === null) return [];
  const genuine = await Promise.all(shown.all.map((device) => isGenuine(device, pinnedRoots(roots, 'nvidiaDevice'))));
  if (genuine.includes(false)) return [];
  const ids = [
    ...shown.gpus.flatMap(({ report, chain }) => [
      NVIDIA_ENDORSEMENTS.driverRimId(modelOf(chain), report.driverVersion),
      report.vbiosRimId,
    ]),
    ...shown.switches.map(({ report }) => report.biosRimId),
  ];
  const manifests = ids.map((id) => itemOfName(NVIDIA_ENDORSEMENTS.rim(id))).filter((item) => item !== null);
  return [
    ...manifests.map(needOf),
    // A device makes its own leaf, so nobody can be asked about it.
    ...shown.all.flatMap(({ chain }) => ocspNeeds(chain.slice(1))),
    ...(hasToken ? [needOf({ kind: 'nvidia-keys' })] : []),
  ];
}

/** What NVIDIA answers about the signer of a manifest and the CAs above it: nobody knows them before it is fetched. */
export function manifestNeeds(manifest: Uint8Array): readonly EndorsementNeed[] {
  return ocspNeeds(parseRim(manifest)?.chain ?? []);
}

/** About every certificate but the root, each with those above it. */
const ocspNeeds = (chain: CertificateChain): readonly EndorsementNeed[] =>
  chain.slice(0, -1).map(({ fingerprint }, i) => ({
    item: { kind: 'nvidia-ocsp', fingerprint },
    issuers: utf8(encodePemChain(chain.slice(i).map(({ der }) => der))),
  }));

async function isGenuine(device: Device, pinned: readonly string[]): Promise<boolean> {
  const isVouched = await isVouchedFor(device.chain, P384_CHAIN, pinned);
  return isVouched && (await checkGpuSignature(device)).status === 'passed';
}
