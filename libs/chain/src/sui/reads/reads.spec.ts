import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  asAmount,
  fromHex,
  toBase64,
  type Address,
  type ContributionId,
  type Digest,
  type Hex32,
  type LicenceId,
  type QuestionId,
  type RunnerId,
  type SignerId,
} from '@usufruct/kernel';
import {
  buildPackage,
  idOf,
  keyOf,
  objectOf,
  readCompiled,
  settle,
  someTerms,
  SUI_BLOB,
  SUI_DIGEST,
  SUI_IDS,
  SUI_LATER,
  SUI_POLICY,
  SuiWorld,
  TEST_NOW_MS,
  testWallet,
  type CompiledPackage,
} from '@usufruct/testing';
import { digest } from '../layout/common.js';
import { amount, u256 } from '../layout/move-types.js';
import * as objects from '../layout/objects.js';

/** Objects and dynamic fields as a node gives them, and the views that the port promises. */
let compiled: CompiledPackage;
let world: SuiWorld;
const founder = testWallet('founder').address;
const empty = (name: string) => ({ id: idOf<Hex32>(name), size: 0 });
const byId = (id: Hex32) => ({ type: 'address', bytes: fromHex(id) });
const byNumber = (n: bigint) => ({ type: 'u64', bytes: amount().bcs.serialize(n).toBytes() });
const byKey = (struct: string, id: Hex32) => ({ type: `${world.settings.packageId}::${struct}`, bytes: fromHex(id) });
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);
beforeEach(() => {
  world = new SuiWorld(compiled);
  settle(world);
});

describe('what is part of a dataset', () => {
  it('is read from its dynamic fields, in the order of the events', async () => {
    const blob = { blob: SUI_BLOB.blob, size_bytes: 10, end_epoch: 9 };
    world.field(
      objectOf('dataset'),
      byKey('contribution::ContributionKey', SUI_IDS.contribution),
      objects.contribution,
      {
        owner: founder,
        state: 1,
        manifest_digest: SUI_DIGEST,
        manifest_blob: blob,
        parts: [blob],
        holder_set_id: SUI_IDS.holderSet,
        policy_digest: SUI_DIGEST,
        permanent_blobs: false,
        tombstoned_at_ms: TEST_NOW_MS,
      },
    );
    const view = {
      id: SUI_IDS.contribution,
      datasetId: SUI_IDS.dataset,
      owner: founder,
      state: 'accepted',
      manifestDigest: SUI_DIGEST,
      manifestBlob: { blob: SUI_BLOB.blob, sizeBytes: 10, endEpoch: 9 },
      parts: [{ blob: SUI_BLOB.blob, sizeBytes: 10, endEpoch: 9 }],
      holderSetId: SUI_IDS.holderSet,
      policyDigest: SUI_DIGEST,
      tombstonedAtMs: TEST_NOW_MS,
    };
    expect(await world.chain.contribution(SUI_IDS.contribution)).toEqual(view);
    expect(await world.chain.contributionsOf(SUI_IDS.dataset)).toEqual([view]);
    const unknown = idOf<ContributionId>('unknown');
    expect(await world.chain.contributions([unknown, SUI_IDS.contribution])).toEqual([null, view]);
  });

  it('shows a revocation as soon as the object has it, before the event comes', async () => {
    const grant = {
      contribution_id: SUI_IDS.contribution,
      grantor: founder,
      terms: someTerms(),
      given_at_ms: TEST_NOW_MS,
      spent_micro_epsilon: 0,
    };
    const name = byKey('grant::GrantKey', SUI_IDS.grant);
    world.field(objectOf('dataset'), name, objects.grant, { ...grant, revoked_at_ms: null });
    expect((await world.chain.grantsOf(SUI_IDS.contribution)).map(({ revokedAtMs }) => revokedAtMs)).toEqual([null]);
    const [none, given] = await world.chain.grantsOfEach([idOf<ContributionId>('unknown'), SUI_IDS.contribution]);
    expect([none, given]).toEqual([[], await world.chain.grantsOf(SUI_IDS.contribution)]);
    world.field(objectOf('dataset'), name, objects.grant, { ...grant, revoked_at_ms: SUI_LATER });
    expect((await world.chain.grant(SUI_IDS.grant)).revokedAtMs).toBe(SUI_LATER);
  });

  it('has its licences on offer', async () => {
    const terms = {
      dataset_id: SUI_IDS.dataset,
      purpose: 'DUO:0000042',
      kind: 1,
      protection: 2,
      price_units: asAmount(5n),
      term_ms: 60_000,
    };
    const name = byKey('licence::OfferKey', SUI_IDS.offer);
    world.field(objectOf('dataset'), name, objects.licenceOffer, { terms, withdrawn_at_ms: null });
    expect(await world.chain.licenceOffer(SUI_IDS.offer)).toMatchObject({
      daoId: SUI_IDS.dao,
      terms: { computation: 'train', protection: 'fhe', priceUnits: 5n },
      withdrawnAtMs: null,
    });
    const bought = {
      licence_id: idOf<LicenceId>('licence'),
      offer_id: SUI_IDS.offer,
      dao_id: SUI_IDS.dao,
      licensee: founder,
      terms,
      bought_at_ms: TEST_NOW_MS,
      expires_at_ms: SUI_LATER,
    };
    world.happened(['LicenceBought', { ...bought, object: objectOf('licence'), payouts: [] }]);
    world.object(objectOf('licence'), objects.licenceObject, { ...bought, id: objectOf('licence') });
    expect(await world.chain.licence(bought.licence_id)).toMatchObject({ licensee: founder, expiresAtMs: SUI_LATER });
  });
});

describe('what is part of a DAO', () => {
  it('is read from its tables', async () => {
    const [runnerId, signerId] = [idOf<RunnerId>('runner'), idOf<SignerId>('signer')];
    world.field(idOf('runners'), byId(runnerId), objects.runner, {
      profile: 'tdx',
      measurement: 'ab'.repeat(48),
      signing_public_key: keyOf(1),
      hpke_public_key: keyOf(2),
      appraisal_policy_digest: SUI_DIGEST,
      pay_to: idOf<Address>('runner'),
      expires_at_ms: SUI_LATER,
    });
    world.field(idOf('signers'), byId(signerId), objects.signer, {
      kind: 2,
      public_keys: [keyOf(8)],
      pay_to: idOf<Address>('host'),
      withdrawn_at_ms: null,
    });
    const member = { roles: 7, ordinal: 0, earned_units: asAmount(3n), proposals: 0, checkpoint_count: 0 };
    world.field(idOf('members'), byId(founder), objects.member, member);
    expect(await world.chain.runner(SUI_IDS.dao, runnerId)).toMatchObject({
      id: runnerId,
      hpkePublicKey: toBase64(keyOf(2)),
    });
    expect(await world.chain.signer(SUI_IDS.dao, signerId)).toMatchObject({ signerKind: 'fhe-host' });
    expect(await world.chain.member(SUI_IDS.dao, founder)).toEqual({
      address: founder,
      roles: 7,
      ordinal: 0,
      earnedUnits: 3n,
    });
    expect(await world.chain.receiptPool(SUI_IDS.dao)).toMatchObject({ receiptCount: 0n, pooledUnits: 0n });
  });

  it('knows which leaves of an epoch were paid', async () => {
    // Leaf 257 is bit 1 of word 1.
    world.field(idOf('claimed'), byNumber(1n), u256, 1n << 1n);
    const claimed = await Promise.all([1, 256, 257, 258].map((leaf) => world.chain.isClaimed(SUI_IDS.epoch, leaf)));
    expect(claimed).toEqual([false, false, true, false]);
  });
});

describe('a job', () => {
  it('is read with what is left in escrow and what was settled', async () => {
    world.object(objectOf('job'), objects.jobObject, {
      id: objectOf('job'),
      version: 1,
      job_id: SUI_IDS.job,
      dao_id: SUI_IDS.dao,
      dataset_id: SUI_IDS.dataset,
      requester: founder,
      purpose: SUI_POLICY.purposes[0]!,
      kind: 0,
      protection: 0,
      policy_version: 1,
      price_per_question_units: asAmount(1_000_000n),
      split: SUI_POLICY.split,
      payout_mode: 1,
      max_questions: 5,
      questions_settled: 2,
      escrow: { held: { value: asAmount(3_000_000n) }, deposited_units: 5_000_000n, withdrawn_units: 2_000_000n },
      client_public_key: keyOf(5),
      state: 0,
      funded_at_ms: TEST_NOW_MS,
      expires_at_ms: SUI_LATER,
      consumed: empty('consumed'),
    });
    expect(await world.chain.job(SUI_IDS.job)).toMatchObject({
      state: 'funded',
      payoutMode: 'epoch',
      questionsSettled: 2,
      escrowUnits: 3_000_000n,
    });
    const question = idOf<QuestionId>('question');
    expect(await world.chain.settledReceipt(SUI_IDS.job, question)).toBeNull();
    world.field(idOf('consumed'), byId(question), digest, idOf<Digest>('receipt'));
    expect(await world.chain.settledReceipt(SUI_IDS.job, question)).toBe(idOf('receipt'));
  });
});

describe('an object of another shape', () => {
  it('is refused and not read wrongly', async () => {
    world.sui.objects.set(objectOf('job'), { type: 'job::Job', content: new Uint8Array(40) });
    await expect(world.chain.job(SUI_IDS.job)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });
});
