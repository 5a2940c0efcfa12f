import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AppraisalDesk,
  failedChecks,
  makeEvidence,
  productionRoots,
  readTeePolicyBook,
  verifierRoots,
  verifySignedResult,
  type DeskOptions,
  type TeeDevice,
} from '@usufruct/attestation';
import { refuseStandIns } from '@usufruct/chain';
import { generateSigningKey, sign, verify } from '@usufruct/crypto';
import {
  fixedEndorsements,
  openVerifier,
  verifierConfigOf,
  verifierStandIns,
  type VerifierConfig,
} from '@usufruct/endorsements';
import {
  asTimestampMs,
  fromBase64,
  systemRandom,
  toBase64,
  type Address,
  type DaoId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import { appraisalPolicyDigest, clientChallenge, RunnerStatementBcs, TAGS } from '@usufruct/protocol';
import {
  aDao,
  aHolderSet,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
} from '@usufruct/testing';
import { z } from 'zod';
import { AppraisalService } from '../../apps/api/src/modules/attest/appraisal.service.js';
import { dstackClient } from '../../apps/enclave-runner/src/attest/devices/dstack-client.js';
import { dstackCpu } from '../../apps/enclave-runner/src/attest/devices/dstack.js';
import { openHardwareDevice } from '../../apps/enclave-runner/src/attest/devices/hardware-device.js';
import { nvidiaTools } from '../../apps/enclave-runner/src/attest/devices/nvidia.js';
import { deriveHolderKeys } from '../../apps/key-holder/src/identity.js';
import { startKeyHolder, type RunningHolder } from '../../apps/key-holder/src/start.js';
import {
  context,
  directory,
  hardwareRootsJson,
  NVIDIA_POLICY,
  servers,
  tools,
  useHardware,
  writeEndorsements,
} from '../support/hardware-world.js';
import { bytes, DAY_MS, NOW_MS, pki, POLICY } from '../support/tdx-world.js';
import { configIdOf, ExtensibleTd, startDstackAgent } from '../support/tee-guest.js';

useHardware();

const zChallenge = z.object({ challenge: z.string() });
const zVouched = z.object({ statement: z.string(), signature: z.string() });
const zRefusal = z.object({ code: z.string(), details: z.record(z.string(), z.string()) });
const DAO = idOf<DaoId>('dao');
const JOB = idOf<JobId>('job');
const PAYEE = idOf<Address>('runner-wallet');
const COMPOSE = '{"name":"usufruct"}';
const TEE_POLICY = { tdx: POLICY, nvidia: NVIDIA_POLICY };
const bookOf = (...policies: readonly object[]): string => JSON.stringify({ v: 1, policies });
const OTHERS = { daoId: idOf<DaoId>('other'), teePolicy: { tdx: { ...POLICY, version: 9 }, nvidia: NVIDIA_POLICY } };
const BOOK = bookOf(OTHERS, { daoId: DAO, teePolicy: TEE_POLICY });
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const signing = generateSigningKey(systemRandom);
const keys = { hpkePublicKey: bytes(21), signingPublicKey: signing.publicKey };

let device: TeeDevice;
let chain: FakeChain;
let clock: ManualClock;
let hardwareRoots: string;
const open: RunningHolder[] = [];

beforeAll(async () => {
  const td = new ExtensibleTd(pki, { report: { mrConfigId: configIdOf(COMPOSE) } });
  const socket = join(directory, 'guest.sock');
  servers.push(await startDstackAgent({ socket, td, appCompose: COMPOSE }));
  device = await openHardwareDevice({
    cpu: await dstackCpu(dstackClient(socket)),
    gpus: nvidiaTools(tools),
    policy: TEE_POLICY,
    imageDigest: bytes(5),
    random: systemRandom,
  });
  hardwareRoots = hardwareRootsJson();
  const { operator, signing: own, sealing } = await deriveHolderKeys(bytes(77));
  const member = {
    operator: operator.address,
    signingPublicKey: toBase64(own.publicKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  };
  const measurements = [await device.measurement()];
  const appraisal = { ...anAppraisalPolicy(), profiles: ['tdx+nv' as const], measurements };
  chain = new FakeChain();
  chain.put('holder-set', aHolderSet({ members: [member] })).put('job', aJob());
  chain.put('dao', aDao({ policy: aPolicy({ appraisal }) }));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((holder) => holder.close()));
});

const deskOf = (changes: Partial<DeskOptions> = {}): AppraisalDesk =>
  new AppraisalDesk({
    roots: verifierRoots({ hardware: hardwareRoots }),
    policies: readTeePolicyBook(BOOK, 'TEE_POLICY_FILE'),
    endorsements: fixedEndorsements(context.endorsements ?? {}),
    ...changes,
  });

describe('a key holder and a runner on TDX with two GPUs', () => {
  let data: string;
  beforeAll(() => {
    data = mkdtempSync(join(tmpdir(), 'holder-'));
  });
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  /** As a runner registers: the holder's challenge, one bundle, the statement signed by the attested key. */
  async function register(desk: AppraisalDesk, { laterMs = 0, holderChallenge = true, untilMs = Infinity } = {}) {
    clock = new ManualClock(asTimestampMs(NOW_MS + laterMs));
    const holder = await startKeyHolder({
      host: '127.0.0.1',
      port: 0,
      dataDir: mkdtempSync(join(data, 'holder-')),
      holderSecret: bytes(77),
      allowedOrigins: [],
      anchorIntervalMs: 60_000,
      standIns: [],
      chain,
      desk,
      clock,
      random: seededRandom('holder'),
      logger: silent,
    });
    open.push(holder);
    const call = async (path: string, sent: object) => {
      const response = await fetch(`${holder.url}${path}`, { method: 'POST', body: JSON.stringify(sent) });
      const body: unknown = await response.json();
      return { status: response.status, body };
    };
    const { challenge } = zChallenge.parse((await call('/v1/challenges', { for: 'registration', daoId: DAO })).body);
    const challenges = [holderChallenge ? fromBase64(challenge) : bytes(9)];
    const bundle = await makeEvidence(device, { challenges, jobId: DAO, keys });
    const { appraisal } = (await chain.dao(DAO)).policy;
    const statement = {
      chainId: (await chain.info()).chainId,
      daoId: DAO,
      profile: 'tdx+nv',
      measurement: await device.measurement(),
      ...keys,
      appraisalPolicyDigest: appraisalPolicyDigest(appraisal),
      payTo: PAYEE,
      issuedAtMs: clock.nowMs(),
      expiresAtMs: asTimestampMs(Math.min(clock.nowMs() + appraisal.resultTermMs, untilMs)),
    };
    const message = RunnerStatementBcs.serialize(statement).toBytes();
    const signature = await sign({ secretKey: signing.secretKey, domainTag: TAGS.runnerStatement, message });
    const { issuedAtMs, expiresAtMs, payTo } = statement;
    const request = { daoId: DAO, challenge, bundle, issuedAtMs, expiresAtMs, payTo };
    const answer = await call('/v1/registrations', { ...request, signature: toBase64(signature) });
    return { ...answer, message, holder };
  }

  it('the holder signs the statement that the chain’s registry counts', async () => {
    const { status, body, message, holder } = await register(deskOf());
    expect(status).toBe(200);
    const vouched = zVouched.parse(body);
    expect(fromBase64(vouched.statement)).toEqual(message);
    const { publicKey } = holder.holder.keys.signing;
    const signature = fromBase64(vouched.signature);
    expect(await verify({ publicKey, domainTag: TAGS.runnerStatement, message, signature })).toBe(true);
  });

  it('signs for no longer than the endorsements hold, and says how long that is', async () => {
    // The collateral of the software TD is good for 29 days (collateral.ts); a registration holds for ten minutes.
    const endMs = NOW_MS + 29 * DAY_MS;
    const laterMs = 29 * DAY_MS - 60_000;
    const refused = await register(deskOf(), { laterMs, untilMs: endMs + 1 });
    expect(refused.body).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'expiresAtMs', latestMs: String(endMs) },
    });
    expect((await register(deskOf(), { laterMs, untilMs: endMs })).status).toBe(200);
  });

  it.each([
    ['no endorsements', 'ATTESTATION_UNENDORSED', 'COLLATERAL, RIM_PARSE', { endorsements: undefined }, {}],
    [
      'endorsements that are out of date',
      'ATTESTATION_UNENDORSED',
      'CRL_STALE, COLLATERAL_STALE',
      {},
      { laterMs: 40 * DAY_MS },
    ],
    ['no policy for this hardware', 'ATTESTATION_REFUSED', 'TEE_POLICY, GPU_POLICY', { policies: undefined }, {}],
    [
      'a laxer policy than the DAO approved',
      'ATTESTATION_REFUSED',
      'MEASUREMENT',
      {
        policies: readTeePolicyBook(
          BOOK.replaceAll('"tcbStatuses":["UpToDate"]', '"tcbStatuses":["UpToDate","OutOfDate"]'),
          'TEE_POLICY_FILE',
        ),
      },
      {},
    ],
    [
      'a policy for another DAO alone',
      'ATTESTATION_REFUSED',
      'TEE_POLICY, GPU_POLICY',
      { policies: readTeePolicyBook(bookOf(OTHERS), 'TEE_POLICY_FILE') },
      {},
    ],
    ['evidence for another challenge', 'ATTESTATION_REFUSED', 'NONCE', {}, { holderChallenge: false }],
  ])('refuses with %s: %s, %s', async (_name, code, checks, options, when) => {
    const { body } = await register(deskOf(options), when);
    expect(body).toMatchObject({ code, details: { checks } });
  });

  it('believes no generated root in production', async () => {
    const { body } = await register(deskOf({ roots: productionRoots() }));
    const { code, details } = zRefusal.parse(body);
    expect(code).toBe('ATTESTATION_REFUSED');
    expect(details['checks']?.split(', ').toSorted()).toEqual(['GPU_ROOT', 'RIM_ROOT', 'ROOT_NOT_PINNED']);
  });
});

describe("the API's appraisal", () => {
  const NONCE = bytes(4);
  const appraised = async (options: Partial<DeskOptions> = {}) => {
    const clock = new ManualClock(asTimestampMs(NOW_MS));
    const service = new AppraisalService({ authSecret: '11'.repeat(32) }, deskOf(options), chain, clock, silent);
    const evidence = await makeEvidence(device, { challenges: [clientChallenge(NONCE)], jobId: JOB, keys });
    return service.appraise({ jobId: JOB, nonce: NONCE, evidence });
  };

  it('gives every check, and claims about processor, GPUs and their bond apart', async () => {
    const answer = await appraised();
    expect(answer.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(answer).toMatchObject({ ok: true, standIn: true, missing: [] });
    expect(answer.cpu).toMatchObject({ tee: 'tdx', debug: false, tcbStatuses: ['UpToDate', 'UpToDate', 'UpToDate'] });
    expect(answer.gpu?.devices).toHaveLength(2);
    expect(answer.binding).toMatchObject({ jobId: JOB, gpu: true });
  });

  it('hands over what it was judged by, so that anybody can judge again', async () => {
    const { endorsements, teePolicy } = await appraised();
    expect(JSON.parse(teePolicy ?? '')).toEqual(TEE_POLICY);
    expect(endorsements.map(({ name }) => name)).toEqual(Object.keys(context.endorsements ?? {}));
  });

  it('says of every runner, good or not, whether roots or machine are a stand-in’s', async () => {
    const refused = await appraised({ policies: readTeePolicyBook(bookOf(OTHERS), 'TEE_POLICY_FILE') });
    expect(refused).toMatchObject({ ok: false, standIn: true });
    const standIns = (desk: AppraisalDesk) => ['tdx+nv', 'software-dev'].map((profile) => desk.isStandIn(profile));
    expect(standIns(deskOf())).toEqual([true, true]);
    expect(standIns(deskOf({ roots: productionRoots() }))).toEqual([false, true]);
  });

  it('is signed, with the digests of what it rested on, for who relies on this verifier', async () => {
    const { signed, policyDigest, endorsements } = await appraised();
    const verifier = fromBase64(signed.verifier);
    const { usufruct } = await verifySignedResult(signed, [verifier], NOW_MS);
    expect(usufruct).toMatchObject({ ok: true, standIn: true, policyDigest, jobId: JOB });
    expect(Object.keys(usufruct['endorsements'] as object)).toEqual(endorsements.map(({ name }) => name).toSorted());
    const bad = await appraised({ roots: productionRoots() });
    await expect(verifySignedResult(bad.signed, [verifier], NOW_MS)).rejects.toMatchObject({
      code: 'ATTESTATION_REFUSED',
    });
  });

  it('claims nothing about a machine that failed a check', async () => {
    const answer = await appraised({ roots: productionRoots() });
    expect(answer).toMatchObject({ ok: false, standIn: false, cpu: null, gpu: null, binding: null });
    expect(answer.checks).toContainEqual(expect.objectContaining({ name: 'ROOT_NOT_PINNED', status: 'failed' }));
    expect(answer.checks).toContainEqual(expect.objectContaining({ name: 'SIGNATURE', status: 'passed' }));
  });
});

describe('roots and policies from the configuration of a verifier', () => {
  const parts = { clock: new ManualClock(asTimestampMs(NOW_MS)), logger: silent };
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const configOf = (settings: object) => verifierConfigOf({ ENDORSEMENTS_OFFLINE: 'no', ...settings });

  it('generated roots judge on the local network, and a real one refuses to start with them', async () => {
    const config = configOf({
      TEE_DEV_HARDWARE_ROOTS_FILE: write('roots.json', hardwareRoots),
      TEE_POLICY_FILE: write('policies.json', BOOK),
    });
    const standIns = verifierStandIns(config);
    expect(standIns).toHaveLength(1);
    expect(() => refuseStandIns({ suiNetwork: 'local', standIns })).not.toThrow();
    for (const suiNetwork of ['testnet', 'mainnet']) {
      expect(() => refuseStandIns({ suiNetwork, standIns })).toThrow(
        expect.objectContaining({ code: 'STAND_IN_FORBIDDEN' }),
      );
    }
    expect(await failedUnder(config)).toEqual(['COLLATERAL', 'RIM_PARSE']);
    const folder = join(directory, 'endorsements');
    writeEndorsements(folder);
    expect(await failedUnder({ ...config, endorsementsDir: folder, isOffline: true })).toEqual([]);
    expect(await failedUnder({ ...config, endorsementsDir: join(directory, 'empty'), isOffline: true })).toEqual([
      'COLLATERAL',
      'RIM_PARSE',
    ]);
  });

  async function failedUnder(config: VerifierConfig): Promise<string[]> {
    const { desk } = openVerifier(config, parts);
    const dao = await chain.dao(DAO);
    const bundle = await makeEvidence(device, { challenges: [bytes(1)], jobId: JOB, keys });
    const { result } = await desk.appraise({ bundle, ownChallenge: bytes(1), jobId: JOB, dao, nowMs: NOW_MS });
    return failedChecks(result);
  }

  it('without them only the vendors’ own roots count', () => {
    const config = configOf({});
    expect(verifierStandIns(config)).toEqual([]);
    expect(openVerifier(config, parts).roots).toEqual(productionRoots());
  });

  it.each([
    ['TEE_DEV_HARDWARE_ROOTS_FILE', '{"intel":"nothing"}'],
    ['TEE_DEV_HARDWARE_ROOTS_FILE', '{"sgx":"x"}'],
    ['TEE_POLICY_FILE', '{}'],
  ])('refuses a bad %s', (setting, text) => {
    const config = configOf({ [setting]: write('bad.json', text) });
    expect(() => openVerifier(config, parts)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('refuses a file that is not there, by its setting', () => {
    const config = configOf({ TEE_POLICY_FILE: join(directory, 'missing.json') });
    expect(() => openVerifier(config, parts)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ setting: 'TEE_POLICY_FILE' }) }),
    );
  });
});
