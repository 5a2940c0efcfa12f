import { beforeAll, expect, it } from '@jest/globals';
import {
  createGpuIdentity,
  createNvidiaPki,
  createSnpPki,
  DEV_GPU,
  DEV_PLATFORM,
  DEV_RIM_NAMES,
  pemOf,
  signGpuEvidence,
  signSnpEvidence,
  type NvidiaPki,
} from '@usufruct/attestation-dev';
import { toBase64, toHex } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { bundleOf, good, NOW_MS, otherPki, pki, rootsOf, startTdxWorld } from '../../../../test/support/tdx-world.js';
import { describeRecorded, readEvidence } from '../../../../test/support/evidence.js';
import { devHardwareRoots, productionRoots } from '../roots.js';
import { nameOfItem } from './item.js';
import { endorsementNeeds } from './needs.js';

let nvidia: NvidiaPki;
const TDX_NAMES = [
  `intel/tdx/tcb-${DEV_PLATFORM.fmspc}.json`,
  'intel/tdx/qe-identity.json',
  'intel/root-ca.crl',
  'intel/pck-platform.crl',
];
const needsOf = async (...of: Parameters<typeof endorsementNeeds>) =>
  (await endorsementNeeds(...of)).map(({ item }) => nameOfItem(item));
const gpuBundle = (...evidence: Uint8Array[]): EvidenceBundle => ({
  ...good,
  profile: 'tdx+nv',
  gpuEvidence: evidence.map((bytes) => toBase64(bytes)),
});

const digestOf = async (der: Uint8Array) =>
  toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(der))));

beforeAll(async () => {
  [nvidia] = await Promise.all([createNvidiaPki(NOW_MS), startTdxWorld()]);
}, 60_000);

it('a TD needs what Intel says of its family, and the lists of the CAs above it', async () => {
  expect(await needsOf(good, rootsOf(pki))).toEqual(TDX_NAMES);
});

it('GPUs need the manifests of their driver and VBIOS, each once', async () => {
  const roots = devHardwareRoots({ intel: pemOf(pki.root), nvidiaDevice: pemOf(nvidia.deviceRoot) });
  const identity = await createGpuIdentity({
    pki: nvidia,
    nowMs: NOW_MS,
    firmwareId: DEV_GPU.firmwareId ?? new Uint8Array(48),
  });
  const evidence = await signGpuEvidence({ pki: nvidia, identity, nonce: new Uint8Array(32) });
  const names = await needsOf(gpuBundle(evidence, evidence), roots);
  expect(names.slice(0, 6)).toEqual([...TDX_NAMES, DEV_RIM_NAMES.driver, DEV_RIM_NAMES.vbios]);
  // About the boot ROM and the two CAs above it: not about the leaf, which the device made, nor about the root.
  const asked = await Promise.all(
    [identity.bootRom, nvidia.provisioner, nvidia.identityCa].map(({ der }) => digestOf(der)),
  );
  expect(names.slice(6)).toEqual(asked.map((digest) => `nvidia/ocsp/${digest}.der`));
  const forged = Uint8Array.from(evidence);
  forged[10]! ^= 1; // the nonce: no device signed this
  expect(await needsOf(gpuBundle(forged), roots)).toEqual(TDX_NAMES);
  expect(await needsOf(gpuBundle(evidence), rootsOf(pki))).toEqual(TDX_NAMES);
});

it("an SEV-SNP guest needs the chain and the list of its product's root", async () => {
  const snp = await createSnpPki({ nowMs: NOW_MS, product: 'Turin' });
  const bundle = { ...good, profile: 'snp', cpuEvidence: toBase64(await signSnpEvidence(snp)) } as const;
  const roots = devHardwareRoots({ amd: pemOf(snp.ark) });
  expect(await needsOf(bundle, roots)).toEqual(['amd/Turin/vcek-chain.pem', 'amd/Turin/root.crl']);
});

it.each<[string, () => Promise<EvidenceBundle> | EvidenceBundle]>([
  ['under a root that is not pinned', () => bundleOf({ pki: otherPki })],
  ['that cannot be read', () => ({ ...good, cpuEvidence: toBase64(new Uint8Array(5000)) })],
  ['that is no base64', () => ({ ...good, cpuEvidence: '%' })],
  ['of another profile', () => ({ ...good, profile: 'software-dev' })],
])('evidence %s needs nothing: nobody makes a verifier ask for what they like', async (_what, make) => {
  expect(await needsOf(await make(), rootsOf(pki))).toEqual([]);
});

describeRecorded('recorded TDX evidence', 'tdx', () => {
  it('needs the items of its FMSPC', async () => {
    const bundle = { ...good, cpuEvidence: toBase64(readEvidence('tdx/tdx_quote')) };
    const names = await needsOf(bundle, productionRoots());
    expect(names).toHaveLength(4);
    expect(names[0]).toMatch(/^intel\/tdx\/tcb-[0-9a-f]{12}\.json$/);
  });
});
