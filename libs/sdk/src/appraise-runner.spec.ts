import { describe, expect, it } from '@jest/globals';
import { appraiseEvidence, makeEvidence, NVIDIA_ENDORSEMENTS, productionRoots } from '@usufruct/attestation';
import {
  createNvidiaPki,
  createTdxPki,
  DEV_GPU,
  devNvidiaEndorsements,
  DevNras,
  devTdxEndorsements,
  SoftwareGpu,
  SoftwareTd,
} from '@usufruct/attestation-dev';
import { fromBase64, toBase64, type Check, type JobId } from '@usufruct/kernel';
import { clientChallenge, combineChallenges, gpuNonce, type EvidenceBundle } from '@usufruct/protocol';
import {
  actingChain,
  aDao,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  FakeGraphql,
  FakeStore,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { signedEndorsements } from './appraise-runner.js';
import { connect } from './client.js';
import { memoryJournal } from './journal.js';

const KEYS = { hpkePublicKey: new Uint8Array(32).fill(21), signingPublicKey: new Uint8Array(32).fill(22) };
const TDX_POLICY = {
  version: 1,
  tcbStatuses: ['UpToDate' as const],
  advisories: [],
  minTcbEvaluationDataNumber: 1,
  ppids: [],
  tdAttributesAllowed: '00'.repeat(8),
  xfams: ['e702060000000000'],
  requiredEvents: [],
};
const GPU_POLICY = {
  version: 1,
  count: 1,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known' as const,
  token: 'required' as const,
};
const TEE_POLICY = { tdx: TDX_POLICY, nvidia: GPU_POLICY };

const RUNNING = {
  ...Object.fromEntries(['runnerId', 'refundUnits', 'expiresAtMs', 'error'].map((name) => [name, null])),
  jobId: aJob().id,
  datasetId: aJob().datasetId,
  purpose: aJob().purpose,
  kind: 'rag',
  protection: 'tee',
  state: 'running',
  requester: aJob().requester,
  pricePerQuestionUnits: '1000000',
  maxQuestions: 3,
  questionsSettled: 0,
  escrowUnits: '3000000',
  documents: 1,
  chunks: 4,
  leftOut: [],
  lastEventSeq: 1,
};

/** A runner on TDX with one GPU that shows a token, and an API that relays whatever endorsements it is told to. */
async function world() {
  const [tdx, nvidia, nras] = await Promise.all([
    createTdxPki(TEST_NOW_MS),
    createNvidiaPki(TEST_NOW_MS),
    DevNras.create(),
  ]);
  const gpu = await SoftwareGpu.create(nvidia, TEST_NOW_MS);
  const device = await SoftwareTd.create({
    pki: tdx,
    policy: TDX_POLICY,
    gpus: { policy: GPU_POLICY, devices: [gpu] },
  });
  const signed = {
    ...(await devTdxEndorsements({ pki: tdx, nowMs: TEST_NOW_MS })),
    ...(await devNvidiaEndorsements(nvidia)),
  };
  const measurement = await device.measurement();
  const policy = aPolicy({
    appraisal: { ...anAppraisalPolicy(), profiles: ['tdx+nv'], measurements: [measurement] },
  });
  const chain = actingChain().put('dao', aDao({ policy })).put('job', aJob());
  const api = new FakeGraphql();
  const relayed = { ...signed, ...nras.endorsements };
  let bundle: EvidenceBundle | undefined;
  let ownChallenge = new Uint8Array();
  api.on('Attestation', async ({ nonce, jobId }) => {
    ownChallenge = Uint8Array.from(clientChallenge(fromBase64(String(nonce))));
    const made = await makeEvidence(device, { challenges: [ownChallenge], jobId: jobId as JobId, keys: KEYS });
    const gpuToken = await nras.token({
      nonce: gpuNonce(combineChallenges([ownChallenge]), KEYS),
      nowMs: TEST_NOW_MS,
      devices: [{ name: 'GPU-0', serial: gpu.identity.leaf.serial }],
    });
    bundle = { ...made, gpuToken };
    const endorsements = Object.entries(relayed).map(([name, bytes]) => ({ name, bytes: toBase64(bytes) }));
    const appraisal = { teePolicy: JSON.stringify(TEE_POLICY), missing: [], endorsements };
    return { attestation: { __typename: 'Attestation', bundle: JSON.stringify(bundle), appraisal } };
  });
  api.on('Job', () => ({ job: RUNNING }));
  const client = connect({
    apiUrl: api.url,
    chain,
    store: new FakeStore(),
    holders: [],
    signer: testWallet('enterprise'),
    journal: memoryJournal(),
    fetch: (input, init) => api.fetch(input, init),
    clock: { nowMs: () => TEST_NOW_MS },
    random: seededRandom('attest'),
  });
  /** The same evidence by who has the keys of NVIDIA's service at first hand. */
  const judgedWith = (endorsements: Readonly<Record<string, Uint8Array>>) =>
    appraiseEvidence(bundle!, {
      ownChallenge,
      jobId: aJob().id,
      nowMs: TEST_NOW_MS,
      policy: policy.appraisal,
      teePolicy: TEE_POLICY,
      endorsements,
      roots: productionRoots(),
    });
  return { inspect: () => client.jobs.session(aJob().id).inspect(), relayed, judgedWith };
}

const statusOf = (checks: readonly Check[], name: string) => checks.find((check) => check.name === name)?.status;

describe('what an API relays of endorsements', () => {
  it('counts where its vendor signed it, and not where nobody did: the keys of NVIDIA’s attestation service', async () => {
    const { inspect, relayed, judgedWith } = await world();
    expect(Object.keys(relayed)).toContain(NVIDIA_ENDORSEMENTS.nrasKeys);
    const { result } = await inspect();
    expect(result.ok).toBe(false);
    // Signed by a vendor, though none whose root is pinned here: read and judged.
    for (const name of ['COLLATERAL', 'TCB_INFO_SIGNATURE', 'RIM_PARSE', 'RIM_SIGNATURE', 'RIM_MISMATCH']) {
      expect({ name, status: statusOf(result.checks, name) }).toEqual({ name, status: 'passed' });
    }
    // An API that makes up a verdict of NVIDIA's would bring the key for it along: nothing of it has passed here.
    expect(statusOf(result.checks, 'GPU_TOKEN')).toBe('skipped');
    expect(result.checks.filter(({ name }) => name.startsWith('EAT_'))).toEqual([]);
    const atFirstHand = await judgedWith(relayed);
    expect(statusOf(atFirstHand.checks, 'EAT_KEY')).toBe('passed');
    expect(statusOf(atFirstHand.checks, 'EAT_SIGNATURE')).toBe('passed');
  });

  it('is handed to the appraisal without those keys, and with everything else as it is', () => {
    const names = ['intel/root-ca.crl', 'nvidia/rim/X.xml', 'nvidia/ocsp/00.der', 'amd/Milan/root.crl'];
    const relayed = [...names, NVIDIA_ENDORSEMENTS.nrasKeys].map((name, i) => ({
      name,
      bytes: toBase64(Uint8Array.of(i)),
    }));
    const expected = Object.fromEntries(names.map((name, i) => [name, Uint8Array.of(i)]));
    expect(signedEndorsements(relayed)).toEqual(expected);
    expect(signedEndorsements(relayed.toReversed())).toEqual(expected);
  });
});
