import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { open, seal, sign, verify, type SigningKey } from '@usufruct/crypto';
import {
  asTimestampMs,
  concatBytes,
  fromBase64,
  fromHex,
  toBase64,
  UsufructError,
  utf8,
  type Address,
  type ContributionId,
  type DaoId,
  type Digest,
  type EpochId,
  type GrantId,
  type Hex32,
  type JobId,
  type RunnerId,
  type TimestampMs,
} from '@usufruct/kernel';
import { buildEpoch, EpochTree, isLeafOf, saltsFrom, type BuiltEpoch } from '@usufruct/ledger';
import {
  decodeOpenings,
  EMPTY_RECEIPT_CHAIN,
  encodeOpening,
  encodePaddedOpening,
  epochIdOf,
  epochSeedInfo,
  EpochStatementBcs,
  LIMITS,
  nextReceiptChain,
  OpeningAckBcs,
  openingsAnswerInfo,
  openingSealInfo,
  OpeningsQueryBcs,
  payoutQueryDigest,
  receiptDigest,
  TAGS,
  UsesBcs,
  usesCommitment,
  WALLET_ACTIONS,
  walletStatementBytes,
  zPayoutAnswer,
  type CountersignRequest,
  type EpochStatement,
  type Opening,
  type PayoutAnswer,
  type UsageReceipt,
} from '@usufruct/protocol';
import type { WalletSigner } from '@usufruct/chain';
import { testReader } from '@usufruct/testing';
import { PRICE } from '../../apps/local-chain/src/testing/dao-world.js';
import { bytesOf, digestOf, hexOf, signingKeyOf } from '../../apps/local-chain/src/testing/world.js';
import { CountersignedEpochs } from '../../apps/key-holder/src/payout/countersigned-epochs.js';
import { RateLimiter } from '../../apps/key-holder/src/rate-limit.js';
import { AtRest } from '../../apps/key-holder/src/store/at-rest.js';
import { PayoutWorld } from '../support/payout-world.js';

const MINUTE_MS = 60_000;
let world: PayoutWorld;
beforeEach(async () => {
  world = await PayoutWorld.start();
});
afterEach(() => world.close());

/** `ok`, or the code and what the refusal names. */
const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    const { check, checks, field, state } = error.details;
    return [error.code, check ?? checks ?? field ?? state ?? []].flat().join(' ');
  }
};
const storedOpenings = (n: number): number =>
  (world.holders[n]!.holder.database.prepare('SELECT count(*) AS n FROM openings').get() as { n: number }).n;
/** 2 and 1 to Ada and Ben. */
const WEIGHTS = [2n, 1n, null];

describe('an opening', () => {
  it('is stored and acknowledged with a signature; twice is once', async () => {
    const opening = await world.opening(1, WEIGHTS);
    const digest = receiptDigest(opening.receipt);
    const first = await world.ask(0, '/v1/openings', await world.sealed(0, opening));
    expect(await world.ask(0, '/v1/openings', await world.sealed(0, opening))).toEqual(first);
    expect(storedOpenings(0)).toBe(1);
    const { chainId } = world.chain.info;
    const message = OpeningAckBcs.serialize({ chainId, daoId: world.daoId, receiptDigest: digest }).toBytes();
    const { publicKey } = world.holderKeys[0]!;
    const signature = fromBase64(first['signature'] as string);
    expect(await verify({ publicKey, domainTag: TAGS.openingAck, message, signature })).toBe(true);
  });

  it('is on no disk in clear, and survives a restart', async () => {
    const opening = await world.opening(1, WEIGHTS);
    await world.ask(0, '/v1/openings', await world.sealed(0, opening));
    await world.holders[0]!.close();
    const files = readdirSync(world.folderOf(0), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
    const all = Buffer.concat(files);
    expect(all.includes(Buffer.from(receiptDigest(opening.receipt)))).toBe(true); // the search does find what is there
    for (const secret of [UsesBcs.serialize([...opening.uses]).toBytes(), fromHex(opening.usesSalt)]) {
      expect(all.includes(Buffer.from(secret))).toBe(false);
    }
    const { holder } = await world.startHolder(0);
    const found = await holder.openings.find(world.daoId, receiptDigest(opening.receipt));
    expect(found?.opening).toEqual({ ...opening, uses: [...opening.uses] });
  });

  it('is taken for a use whose grant was revoked after it, and for a receipt that is settled, whatever became of its runner', async () => {
    const late = await world.opening(1, WEIGHTS);
    world.clock.advance(1);
    await world.run(world.contributors[0]!, { kind: 'revokeGrant', grantId: world.grantIds[0]! });
    expect(await refusalOf(world.ask(0, '/v1/openings', await world.sealed(0, late)))).toBe('ok');
    const acknowledgements = await world.acknowledgements(late.receipt);
    const { receipt: settled, signature } = late;
    await world.run(world.stranger, { kind: 'settlePrivately', receipt: settled, signature, acknowledgements });
    world.clock.advance(2 * 24 * 60 * MINUTE_MS);
    await world.startAndRelease([1]);
    expect(await refusalOf(world.ask(1, '/v1/openings', await world.sealed(1, late)))).toBe('ok');
  });

  type Made = Promise<Opening>;
  const receipt = (changes: Partial<UsageReceipt>, weights: readonly (bigint | null)[] = WEIGHTS): Made =>
    world.opening(1, weights, changes);
  const withUses = async (uses: Opening['uses']): Made => ({
    ...(await receipt({ usesCommitment: usesCommitment(hexOf('uses salt'), uses) })),
    uses,
  });
  const used = () => world.uses(...WEIGHTS);
  const rows: [string, string, () => Made][] = [
    ['other uses', 'RECEIPT_INVALID uses', async () => ({ ...(await receipt({})), uses: world.uses(1n, 2n, null) })],
    ['another salt', 'RECEIPT_INVALID uses', async () => ({ ...(await receipt({})), usesSalt: hexOf('other') })],
    ['uses out of order', 'RECEIPT_INVALID order', () => withUses(used().toReversed())],
    ['a use twice', 'RECEIPT_INVALID order', () => withUses([used()[0]!, used()[0]!])],
    ['no weight at all', 'RECEIPT_INVALID weights', () => withUses(world.uses(0n, 0n, null))],
    [
      'too many uses',
      'RECEIPT_INVALID count',
      () => withUses(Array.from({ length: LIMITS.usesPerReceipt + 1 }, () => used()[0]!)),
    ],
    ['a price for nothing', 'RECEIPT_INVALID price', () => receipt({ priceUnits: PRICE as never }, [])],
    ['a lower price', 'RECEIPT_INVALID price', () => receipt({ priceUnits: (PRICE - 1n) as never })],
    ['another chain', 'RECEIPT_INVALID chainId', () => receipt({ chainId: 'sui:mainnet' })],
    ['another package', 'RECEIPT_INVALID packageId', () => receipt({ packageId: hexOf('other') })],
    ['another registry', 'RECEIPT_INVALID registryId', () => receipt({ registryId: hexOf('other') })],
    ['another kind of signer', 'RECEIPT_INVALID signerKind', () => receipt({ signerKind: 'fhe-host' })],
    ['a job that does not exist', 'NOT_FOUND', () => receipt({ jobId: hexOf<JobId>('nowhere') })],
    ['a privacy budget', 'BUDGET_EXHAUSTED', () => receipt({ budgetSpentMicroEpsilon: 1n })],
    [
      'a signature of somebody else',
      'RECEIPT_INVALID signature',
      () => world.opening(1, WEIGHTS, {}, signingKeyOf('thief')),
    ],
    [
      'a runner that nobody registered',
      'RUNNER_NOT_REGISTERED registered',
      () => {
        const thief = signingKeyOf('thief');
        return world.opening(1, WEIGHTS, { signerPublicKey: thief.publicKey }, thief);
      },
    ],
    [
      'a time to come',
      'RECEIPT_INVALID issuedAtMs',
      () => receipt({ issuedAtMs: asTimestampMs(world.clock.nowMs() + LIMITS.clockSkewMs + 1) }),
    ],
    [
      'a time before its job',
      'RECEIPT_INVALID issuedAtMs',
      () => receipt({ issuedAtMs: asTimestampMs(world.clock.nowMs() - LIMITS.clockSkewMs - 1) }),
    ],
    [
      'a receipt that can no longer be settled',
      'RECEIPT_INVALID freshness',
      async () => {
        const made = await receipt({});
        world.clock.advance(LIMITS.receiptFreshnessMs + 1);
        return made;
      },
    ],
    [
      'an answer after the end of its job',
      'JOB_EXPIRED',
      () => {
        world.clock.advance(10 * MINUTE_MS);
        return receipt({});
      },
    ],
    [
      'a grant that was revoked',
      'GRANT_REVOKED',
      async () => {
        await world.run(world.contributors[0]!, { kind: 'revokeGrant', grantId: world.grantIds[0]! });
        return receipt({});
      },
    ],
    [
      'a contribution that was retired',
      'TOMBSTONED',
      async () => {
        const contributionId = world.contributionIds[0]!;
        await world.run(world.contributors[0]!, { kind: 'tombstoneContribution', contributionId });
        return receipt({});
      },
    ],
    [
      'a grant of another contribution',
      'GRANT_REQUIRED',
      () => withUses(used().map((use) => ({ ...use, grantId: world.grantIds[2]! }))),
    ],
    [
      'a grant that nobody gave',
      'GRANT_REQUIRED',
      () => withUses(used().map((use) => ({ ...use, grantId: hexOf<GrantId>('invented') }))),
    ],
    [
      'a contribution that does not exist',
      'NOT_FOUND',
      () => withUses([{ ...used()[0]!, contributionId: hexOf<ContributionId>('invented') }]),
    ],
    [
      'a receipt for a question that was settled with another',
      'RECEIPT_CONSUMED',
      async () => {
        await world.settle(1, [null, 1n, 1n]);
        return receipt({});
      },
    ],
  ];
  it.each(rows)('with %s is refused with %s, and not stored', async (_name, refusal, make) => {
    const request = await world.sealed(0, await make());
    expect(await refusalOf(world.ask(0, '/v1/openings', request))).toBe(refusal);
    expect(storedOpenings(0)).toBe(0);
  });

  const JOB_OF_ANOTHER = hexOf<JobId>('another job');
  const released: [string, (all: readonly ContributionId[]) => Promise<void>][] = [
    ['not at all', async () => undefined],
    ['for another job', (all) => world.release(world.holders[0]!, all, { jobId: JOB_OF_ANOTHER })],
    [
      'to another runner',
      (all) => world.release(world.holders[0]!, all, { runnerSigningKey: signingKeyOf('other').publicKey }),
    ],
    ['with a refusal', (all) => world.release(world.holders[0]!, all, { decision: 'GRANT_REQUIRED' })],
  ];
  it.each(released)('of a contribution whose key this holder released %s is refused', async (_name, release) => {
    const extra = { kind: 'fundJob', ...(world.job({ salt: hexOf('second') }) as object) } as never;
    await world.run(world.requester, extra);
    const jobId = world.derive<JobId>('job', world.datasetId, world.requester, 'second');
    await world.release(world.holders[0]!, [world.contributionIds[0]!], { jobId });
    await release([world.contributionIds[1]!]);
    const request = await world.sealed(0, await receipt({ jobId }));
    expect(await refusalOf(world.ask(0, '/v1/openings', request))).toBe('FORBIDDEN');
  });

  it('is refused without a word of whose data it used', async () => {
    const { logger } = world.holders[0]!.holder;
    const lines = (['info', 'warn', 'error'] as const).map((level) => jest.spyOn(logger, level));
    const [named] = world.uses(...WEIGHTS);
    const away = hexOf<ContributionId>('invented');
    await world.run(world.contributors[0]!, { kind: 'revokeGrant', grantId: world.grantIds[0]! });
    const rows: [string, Opening['uses']][] = [
      ['GRANT_REVOKED', [named!]],
      ['GRANT_REQUIRED', [{ ...named!, grantId: world.grantIds[2]! }]],
      ['NOT_FOUND', [{ ...named!, contributionId: away }]],
    ];
    for (const [code, uses] of rows) {
      const opening = await world.opening(1, WEIGHTS, { usesCommitment: usesCommitment(hexOf('uses salt'), uses) });
      const digest = receiptDigest(opening.receipt);
      const refused = world.ask(0, '/v1/openings', await world.sealed(0, { ...opening, uses }));
      const error = await refused.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      expect((error as UsufructError).details).toEqual({ receiptDigest: digest });
    }
    const logged = JSON.stringify(lines.flatMap(({ mock }) => mock.calls));
    for (const id of [...world.contributionIds, ...world.grantIds, away]) expect(logged).not.toContain(id);
    for (const line of lines) line.mockRestore();
  });

  it('that no longer opens here is replaced when it is handed over again', async () => {
    const opening = await world.opening(1, WEIGHTS);
    const digest = receiptDigest(opening.receipt);
    const { holder } = world.holders[0]!;
    const first = await world.ask(0, '/v1/openings', await world.sealed(0, opening));
    holder.database.exec(`UPDATE openings SET encrypted = zeroblob(length(encrypted))`);
    expect(await holder.openings.find(world.daoId, digest)).toBeNull();
    expect(await world.ask(0, '/v1/openings', await world.sealed(0, opening))).toEqual(first);
    expect((await holder.openings.find(world.daoId, digest))?.digest).toBe(digest);
    expect(storedOpenings(0)).toBe(1);
  });

  it('that was not sealed to this holder, for this receipt, canonically and within bounds is refused', async () => {
    const opening = await world.opening(1, WEIGHTS);
    const digest = receiptDigest(opening.receipt);
    const sealedBytes = async (plaintext: Uint8Array) => ({
      receiptDigest: digest,
      sealedOpening: toBase64(
        await seal({
          recipientPublicKey: world.holders[0]!.holder.keys.sealing.publicKey,
          info: openingSealInfo(digest),
          aad: new Uint8Array(),
          plaintext,
        }),
      ),
    });
    const encoded = encodeOpening(opening);
    const refusals = await Promise.all(
      [
        await world.sealed(1, opening),
        { ...(await world.sealed(0, opening)), receiptDigest: digestOf('other') },
        await world.sealed(0, opening, digestOf('other')),
        await sealedBytes(encoded),
        await sealedBytes(concatBytes(encodePaddedOpening(opening).slice(0, -1), new Uint8Array([1]))),
        await sealedBytes(utf8('no opening')),
        { receiptDigest: digest, sealedOpening: toBase64(new Uint8Array(LIMITS.openingBytes + 49)) },
        { receiptDigest: digest },
      ].map((request) => refusalOf(world.ask(0, '/v1/openings', request))),
    );
    expect(refusals).toEqual([
      'RECEIPT_INVALID sealed',
      'RECEIPT_INVALID sealed',
      'RECEIPT_INVALID digest',
      'RECEIPT_INVALID size',
      'RECEIPT_INVALID encoding',
      'RECEIPT_INVALID size',
      'INVALID_ARGUMENT sealedOpening',
      'INVALID_ARGUMENT sealedOpening',
    ]);
  });

  it('is not taken for a job that pays directly', async () => {
    const direct = { ...(await world.chainClient().job(world.jobId)), payoutMode: 'direct' as const };
    const { holder } = world.holders[0]!;
    holder.chain.job = async () => direct;
    const request = await world.sealed(0, await world.opening(1, WEIGHTS));
    expect(await refusalOf(world.ask(0, '/v1/openings', request))).toBe('RECEIPT_INVALID payoutMode');
  });

  it('is bounded by the number of questions that were paid for', async () => {
    for (let n = 0; n < 3 + 64; n++)
      await world.ask(0, '/v1/openings', await world.sealed(0, await world.opening(n, WEIGHTS)));
    const one = await world.sealed(0, await world.opening(99, WEIGHTS));
    expect(await refusalOf(world.ask(0, '/v1/openings', one))).toBe('RATE_LIMITED');
  });
});

describe('the list of openings', () => {
  const query = async (n: number, receiptDigests: readonly Digest[], changes: object = {}, key?: SigningKey) => {
    const { runnerKeys, daoId } = world;
    const signing = key ?? runnerKeys.signing;
    const holderSigningKey = world.holderKeys[n]!.publicKey;
    const issuedAtMs = world.clock.nowMs();
    const { chainId } = world.chain.info;
    const fields = { chainId, daoId, receiptDigests: [...receiptDigests], holderSigningKey, issuedAtMs, ...changes };
    const message = OpeningsQueryBcs.serialize(fields).toBytes();
    const { secretKey, publicKey } = signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.openingsQuery, message }));
    const { chainId: _c, holderSigningKey: _h, ...body } = fields;
    return { message, body: { ...body, runnerSigningKey: toBase64(publicKey), signature } };
  };

  it('is given to an active runner, sealed to its key, with what there is of what it names', async () => {
    const [first, second] = [await world.settledWith(1, WEIGHTS), await world.settledWith(2, [null, 1n, 3n], [])];
    const { message, body } = await query(0, [second, first, digestOf('unknown')]);
    const { sealedOpenings } = await world.ask(0, '/v1/openings/query', body);
    const bytes = await open({
      privateKey: world.runnerKeys.hpke.privateKey,
      info: openingsAnswerInfo(message),
      aad: new Uint8Array(),
      sealed: fromBase64(sealedOpenings as string),
    });
    expect(decodeOpenings(bytes).map(({ receipt }) => receiptDigest(receipt))).toEqual([first]);
  });

  it('leaves out what no longer opens, and logs how many', async () => {
    const [first, second] = [await world.settledWith(1, WEIGHTS), await world.settledWith(2, [null, 1n, 3n])];
    const { database, logger } = world.holders[0]!.holder;
    database.prepare('UPDATE openings SET encrypted = zeroblob(40) WHERE receipt_digest = ?').run(first);
    const logged = jest.spyOn(logger, 'error');
    const { message, body } = await query(0, [first, second]);
    const { sealedOpenings } = await world.ask(0, '/v1/openings/query', body);
    const bytes = await open({
      privateKey: world.runnerKeys.hpke.privateKey,
      info: openingsAnswerInfo(message),
      aad: new Uint8Array(),
      sealed: fromBase64(sealedOpenings as string),
    });
    expect(decodeOpenings(bytes).map(({ receipt }) => receiptDigest(receipt))).toEqual([second]);
    expect(logged).toHaveBeenCalledWith('opening.unreadable', { daoId: world.daoId, openings: 1 });
    logged.mockRestore();
  });

  it.each<[string, string, () => Promise<{ body: object }>]>([
    ['a stranger', 'RUNNER_NOT_REGISTERED registered', () => query(0, [digestOf('one')], {}, signingKeyOf('thief'))],
    ['a request to another holder', 'SIGNATURE_INVALID signature', () => query(1, [digestOf('one')])],
    [
      'an old request',
      'INVALID_ARGUMENT issuedAtMs',
      () => query(0, [digestOf('one')], { issuedAtMs: world.clock.nowMs() - LIMITS.clockSkewMs - 1 }),
    ],
    [
      'more receipts than were signed for',
      'SIGNATURE_INVALID signature',
      async () => {
        const { body } = await query(0, [digestOf('one')]);
        return { body: { ...body, receiptDigests: [digestOf('one'), digestOf('two')] } };
      },
    ],
    [
      'too many receipts',
      'INVALID_ARGUMENT receiptDigests',
      () =>
        query(
          0,
          Array.from({ length: LIMITS.openingsPerRequest + 1 }, (_, i) => digestOf(`${i}`)),
        ),
    ],
    ['a DAO that does not exist', 'NOT_FOUND', () => query(0, [digestOf('one')], { daoId: hexOf('nowhere') })],
  ])('is refused to %s with %s', async (_name, refusal, make) => {
    expect(await refusalOf(world.ask(0, '/v1/openings/query', (await make()).body))).toBe(refusal);
  });
});

interface Drafted {
  readonly request: CountersignRequest;
  readonly built: BuiltEpoch;
  readonly id: EpochId;
}
/** An epoch over all receipts, as a settler asks holder `n` for its signature; wrong where a test wants it wrong. */
async function drafted(
  n: number,
  digests: readonly Digest[],
  changes: Partial<EpochStatement> = {},
  by: {
    readonly settler?: SigningKey;
    readonly signer?: SigningKey;
    readonly seed?: Uint8Array;
    readonly sentSeed?: Uint8Array;
    readonly request?: Partial<CountersignRequest>;
  } = {},
): Promise<Drafted> {
  const { settler = world.runnerKey, seed = bytesOf('seed') } = by;
  const pool = await world.chainClient().receiptPool(world.daoId);
  const built = buildEpoch({ daoId: world.daoId, number: 1n, receipts: world.receipts, random: saltsFrom(seed) });
  const { chainId, packageId, registryId } = world.chain.info;
  const statement = EpochStatementBcs.serialize({
    chainId,
    packageId,
    registryId,
    daoId: world.daoId,
    number: 1n,
    attempt: 1,
    fromReceipt: 1n,
    toReceipt: BigInt(digests.length),
    receiptChain: pool.receiptChain,
    totalUnits: built.totalUnits,
    root: built.tree.root,
    leafCount: built.leaves.length,
    settlerPublicKey: settler.publicKey,
    issuedAtMs: world.clock.nowMs(),
    ...changes,
  }).toBytes();
  const { secretKey } = by.signer ?? settler;
  const settlerSignature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
  const id = epochIdOf(statement);
  const sealedSeed = await seal({
    recipientPublicKey: world.holders[n]!.holder.keys.sealing.publicKey,
    info: epochSeedInfo(id),
    aad: new Uint8Array(),
    plaintext: by.sentSeed ?? seed,
  });
  const request = {
    statement: toBase64(statement),
    settlerSignature: toBase64(settlerSignature),
    chainBefore: EMPTY_RECEIPT_CHAIN,
    receiptDigests: [...digests],
    sealedSeed: toBase64(sealedSeed),
    ...by.request,
  };
  return { request, built, id };
}
const countersigned = (n: number, { request }: Drafted) => world.ask(n, '/v1/countersignatures', request);

describe('a countersignature', () => {
  let digests: Digest[];
  beforeEach(async () => {
    digests = [await world.settledWith(1, WEIGHTS), await world.settledWith(2, [null, 1n, 3n])];
  });
  const giveTo = async (n: number): Promise<void> => {
    await world.startAndRelease([n]);
    for (const [i, weights] of [WEIGHTS, [null, 1n, 3n]].entries()) {
      await world.ask(n, '/v1/openings', await world.sealed(n, await world.opening(i + 1, weights)));
    }
  };

  it('is over what this holder has recomputed, and the chain takes the epoch with enough of them', async () => {
    const draft = await drafted(0, digests);
    const first = await countersigned(0, draft);
    expect(await countersigned(0, draft)).toEqual(first);
    await giveTo(1);
    const other = await drafted(1, digests);
    const statement = fromBase64(draft.request.statement);
    const signatures = [first, await countersigned(1, other)].map(({ signature }, member) => ({
      member,
      signature: fromBase64(signature as string),
    }));
    const settlerSignature = fromBase64(draft.request.settlerSignature);
    await world.run(world.stranger, { kind: 'proposeEpoch', statement, settlerSignature, signatures });
    expect((await world.chainClient().epoch(draft.id)).totalUnits).toBe(1_400_000n); // twice 70 % of 1,000,000
  });

  it('is given for one statement of an attempt, for good: not for another, nor after a restart', async () => {
    await countersigned(0, await drafted(0, digests));
    const other = () => drafted(0, digests, {}, { seed: bytesOf('another seed') });
    expect(await refusalOf(countersigned(0, await other()))).toBe('EPOCH_STATE attempt taken');
    await world.holders[0]!.close();
    await world.startHolder(0);
    expect(await refusalOf(countersigned(0, await other()))).toBe('EPOCH_STATE attempt taken');
    const next = await drafted(0, digests, { attempt: 2 }, { seed: bytesOf('another seed') });
    expect(await refusalOf(countersigned(0, next))).toBe('ok');
  });

  const proposed = async (): Promise<Drafted> => {
    await giveTo(1);
    const drafts = await Promise.all([0, 1].map((n) => drafted(n, digests)));
    const answers = await Promise.all(drafts.map((draft, n) => countersigned(n, draft)));
    const signatures = answers.map(({ signature }, member) => ({ member, signature: fromBase64(signature as string) }));
    const { request } = drafts[0]!;
    const statement = fromBase64(request.statement);
    const settlerSignature = fromBase64(request.settlerSignature);
    await world.run(world.stranger, { kind: 'proposeEpoch', statement, settlerSignature, signatures });
    return drafts[0]!;
  };

  it('is not needed of an epoch that is on chain: a holder that was away keeps its leaves, and signs nothing', async () => {
    const draft = await proposed();
    await giveTo(2);
    const late = await drafted(2, digests);
    expect(late.id).toBe(draft.id);
    world.clock.advance(LIMITS.receiptFreshnessMs + 1);
    const wrong = { ...late, request: { ...late.request, receiptDigests: digests.toReversed() } };
    expect(await refusalOf(countersigned(2, wrong))).toBe('EPOCH_INVALID receiptChain');
    for (let i = 0; i < 2; i++) expect(await countersigned(2, late)).toEqual({ signature: null });
    const { account } = draft.built.leaves[1]!;
    const proven = await world.holders[2]!.holder.epochs.leafOf(world.daoId, draft.id, account);
    expect(proven).toEqual({ leaf: draft.built.leaves[1], proof: draft.built.tree.proofOf(1) });
    expect((await countersigned(0, draft))['signature']).toEqual(expect.any(String));
  });

  it('asked for a second statement of an attempt leaves the proof that ends the settler’s registration', async () => {
    const { logger } = world.holders[0]!.holder;
    const logged = jest.spyOn(logger, 'error');
    const draft = await proposed();
    const listed = async () => (await fetch(`${world.holders[0]!.url}/v1/equivocations`)).json();
    expect(await listed()).toEqual({ equivocations: [] });
    const second = await drafted(0, digests, {}, { seed: bytesOf('another seed') });
    for (let i = 0; i < 2; i++) expect(await refusalOf(countersigned(0, second))).toBe('EPOCH_STATE attempt taken');
    expect(logged).toHaveBeenCalledTimes(1);
    expect(logged).toHaveBeenCalledWith(
      'epoch.equivocation',
      expect.objectContaining({ epochId: draft.id, statements: `${draft.id} ${second.id}` }),
    );
    logged.mockRestore();
    await world.holders[0]!.close();
    await world.startHolder(0);
    const proofs = [draft, second].map(({ id, request: { statement, settlerSignature } }) => ({
      epochId: id,
      proof: { statement, settlerSignature },
    }));
    expect(await listed()).toMatchObject({ equivocations: [{ daoId: world.daoId, attempt: 1, statements: proofs }] });
    const { statement, settlerSignature } = proofs[1]!.proof;
    await world.run(world.stranger, {
      kind: 'proveEquivocation',
      epochId: draft.id,
      statement: fromBase64(statement),
      settlerSignature: fromBase64(settlerSignature),
    });
    expect((await world.chainClient().epoch(draft.id)).state).toBe('rejected');
  });

  it('of two statements for one attempt at once is given for one', async () => {
    const both = [await drafted(0, digests), await drafted(0, digests, {}, { seed: bytesOf('another seed') })];
    const refusals = await Promise.all(both.map((draft) => refusalOf(countersigned(0, draft))));
    expect(refusals.sort()).toEqual(['EPOCH_STATE attempt taken', 'ok']);
  });

  it('is not kept from one settler by what another has signed', async () => {
    await countersigned(0, await drafted(0, digests));
    const settler = signingKeyOf('second runner');
    const statement = world.statement({ signingPublicKey: settler.publicKey });
    await world.run(world.stranger, await world.registration(statement));
    const theirs = await drafted(0, digests, {}, { settler, seed: bytesOf('another seed') });
    expect(await refusalOf(countersigned(0, theirs))).toBe('ok');
  });

  const tree = () => new EpochTree([{ ...built().leaves[0]!, amountUnits: 1_400_000n as never }]);
  const built = () =>
    buildEpoch({ daoId: world.daoId, number: 1n, receipts: world.receipts, random: saltsFrom(bytesOf('seed')) });
  const rows: [string, string, () => Promise<Drafted>][] = [
    ['another total', 'EPOCH_INVALID totalUnits', () => drafted(0, digests, { totalUnits: 1_400_001n as never })],
    ['another root', 'EPOCH_INVALID root', () => drafted(0, digests, { root: tree().root })],
    ['another number of leaves', 'EPOCH_INVALID leafCount', () => drafted(0, digests, { leafCount: 4 })],
    [
      'a seed of other salts',
      'EPOCH_INVALID root',
      () => drafted(0, digests, {}, { sentSeed: bytesOf('another seed') }),
    ],
    [
      'a seed that is too short',
      'EPOCH_INVALID sealedSeed',
      () => drafted(0, digests, {}, { sentSeed: new Uint8Array(31) }),
    ],
    [
      'a seed for another holder',
      'EPOCH_INVALID sealedSeed',
      async () => {
        await giveTo(1);
        const [own, other] = [await drafted(0, digests), await drafted(1, digests)];
        return { ...own, request: { ...own.request, sealedSeed: other.request.sealedSeed } };
      },
    ],
    ['another number', 'EPOCH_STATE another number is next', () => drafted(0, digests, { number: 2n })],
    ['no attempt', 'EPOCH_INVALID attempt', () => drafted(0, digests, { attempt: 0 })],
    ['receipts from a later one on', 'EPOCH_INVALID fromReceipt', () => drafted(0, digests, { fromReceipt: 2n })],
    ['receipts to come', 'EPOCH_INVALID toReceipt', () => drafted(0, digests, { toReceipt: 3n })],
    ['fewer receipts than it names', 'EPOCH_INVALID receiptDigests', () => drafted(0, digests, { toReceipt: 1n })],
    ['receipts in another order', 'EPOCH_INVALID receiptChain', () => drafted(0, digests.toReversed())],
    [
      'another chain of receipts',
      'EPOCH_INVALID receiptChain',
      () => {
        const swapped = digests.toReversed();
        const receiptChain = swapped.reduce(nextReceiptChain, EMPTY_RECEIPT_CHAIN);
        return drafted(0, swapped, { receiptChain });
      },
    ],
    [
      'another beginning of the chain',
      'EPOCH_INVALID receiptChain',
      () => drafted(0, digests, {}, { request: { chainBefore: digestOf('other') } }),
    ],
    ['another chain', 'EPOCH_INVALID chainId', () => drafted(0, digests, { chainId: 'sui:mainnet' })],
    ['another package', 'EPOCH_INVALID packageId', () => drafted(0, digests, { packageId: hexOf('other') })],
    ['another registry', 'EPOCH_INVALID registryId', () => drafted(0, digests, { registryId: hexOf('other') })],
    ['a DAO that does not exist', 'NOT_FOUND', () => drafted(0, digests, { daoId: hexOf('nowhere') })],
    [
      'a settler that nobody registered',
      'RUNNER_NOT_REGISTERED registered',
      () => drafted(0, digests, {}, { settler: signingKeyOf('thief') }),
    ],
    [
      'a signature of somebody else',
      'SIGNATURE_INVALID settler',
      () => drafted(0, digests, {}, { signer: signingKeyOf('thief') }),
    ],
    [
      'a time to come',
      'EPOCH_INVALID issuedAtMs',
      () => drafted(0, digests, { issuedAtMs: asTimestampMs(world.clock.nowMs() + LIMITS.clockSkewMs + 1) }),
    ],
    [
      'a time long ago',
      'EPOCH_INVALID freshness',
      () => drafted(0, digests, { issuedAtMs: asTimestampMs(world.clock.nowMs() - LIMITS.receiptFreshnessMs - 1) }),
    ],
    [
      'bytes after the statement',
      'EPOCH_INVALID encoding',
      async () => {
        const own = await drafted(0, digests);
        const statement = toBase64(concatBytes(fromBase64(own.request.statement), new Uint8Array(1)));
        return { ...own, request: { ...own.request, statement } };
      },
    ],
    [
      'too many receipts',
      'INVALID_ARGUMENT receiptDigests',
      () => {
        const receiptDigests = Array.from({ length: LIMITS.receiptsPerEpoch + 1 }, (_, i) => digestOf(`${i}`));
        return drafted(0, digests, {}, { request: { receiptDigests } });
      },
    ],
  ];
  it.each(rows)('is refused for %s with %s', async (_name, refusal, make) => {
    expect(await refusalOf(countersigned(0, await make()))).toBe(refusal);
  });

  it('is refused by a holder without the openings, and by one that was retired', async () => {
    await giveTo(1);
    await giveTo(2);
    await world.settledWith(3, [1n, null, null], [1, 2]);
    const three = [...digests, receiptDigest((await world.opening(3, [1n, null, null])).receipt)];
    expect(await refusalOf(countersigned(0, await drafted(0, three)))).toBe('NOT_FOUND');
    expect(await refusalOf(countersigned(1, await drafted(1, three)))).toBe('ok');
    await world.run(world.operators[2]!, { kind: 'tombstoneHolder', holderSetId: world.holderSetId, member: 2 });
    expect(await refusalOf(countersigned(2, await drafted(2, three)))).toBe('TOMBSTONED');
  });
});

describe('the payouts of an account', () => {
  let draft: Drafted;
  beforeEach(async () => {
    const digests = [await world.settledWith(1, WEIGHTS), await world.settledWith(2, [null, 1n, 3n])];
    draft = await drafted(0, digests);
    await countersigned(0, draft);
  });

  interface Query {
    account: Address;
    epochIds: EpochId[];
    issuedAtMs: TimestampMs;
    daoId: DaoId;
  }
  const asked = async (
    signer: WalletSigner,
    changes: Partial<Query> = {},
    signed: Partial<Query> = {},
    askedOf = world.holders[0]!.holder.keys.signing.publicKey,
  ): Promise<PayoutAnswer> => {
    const reader = testReader();
    const query = {
      daoId: world.daoId,
      account: signer.address,
      epochIds: [draft.id],
      issuedAtMs: world.clock.nowMs(),
      ...changes,
    };
    const digest = payoutQueryDigest({ ...query, ...signed, readerPublicKey: reader.publicKey });
    const { chainId } = world.chain.info;
    const message = walletStatementBytes({ action: WALLET_ACTIONS.payoutQuery, chainId, digest });
    const body = {
      ...query,
      signature: await signer.signPersonalMessage(message),
      reader: await reader.forHolder(payoutQueryDigest({ ...query, readerPublicKey: reader.publicKey }), askedOf),
    };
    return zPayoutAnswer.parse(await world.ask(0, '/v1/payouts/query', body));
  };

  it('are its own leaf, with a proof that the chain would take; also after a restart', async () => {
    await world.holders[0]!.close();
    await world.startHolder(0);
    for (const signer of world.contributors) {
      const { known, payouts } = await asked(signer);
      expect(known).toEqual([draft.id]);
      expect(payouts).toHaveLength(1);
      const { leaf, proof } = payouts[0]!;
      expect(leaf).toEqual(draft.built.leaves.find(({ account }) => account === signer.address));
      const statement = EpochStatementBcs.parse(fromBase64(draft.request.statement));
      expect(isLeafOf(statement, leaf, proof)).toBe(true);
    }
    expect(await asked(world.stranger)).toEqual({ known: [draft.id], payouts: [] });
    const nowhere = hexOf<EpochId>('nowhere');
    expect(await asked(world.contributors[0]!, { epochIds: [nowhere] })).toEqual({ known: [], payouts: [] });
  });

  it('are told to nobody else, and not on an old request', async () => {
    const ada = world.contributors[0]!;
    const { address } = ada;
    const many = Array.from({ length: LIMITS.epochsPerPayoutQuery + 1 }, (_, i) => hexOf<EpochId>(`${i}`));
    const long = asTimestampMs(world.clock.nowMs() - LIMITS.clockSkewMs - 1);
    expect(await refusalOf(asked(world.stranger, { account: address }))).toBe('SIGNATURE_INVALID');
    expect(await refusalOf(asked(ada, {}, { account: world.contributors[1]!.address }))).toBe('SIGNATURE_INVALID');
    expect(await refusalOf(asked(ada, {}, { issuedAtMs: asTimestampMs(world.clock.nowMs() + 1) }))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(await refusalOf(asked(ada, {}, {}, signingKeyOf('another holder').publicKey))).toBe(
      'SIGNATURE_INVALID reader.signature',
    );
    expect(await refusalOf(asked(ada, { issuedAtMs: long }))).toBe('INVALID_ARGUMENT issuedAtMs');
    expect(await refusalOf(asked(ada, { epochIds: many }))).toBe('INVALID_ARGUMENT epochIds');
    expect(await refusalOf(asked(ada, { epochIds: [] }))).toBe('INVALID_ARGUMENT epochIds');
    expect(await asked(ada, { daoId: hexOf<DaoId>('another DAO') })).toEqual({ known: [], payouts: [] });
  });

  it('cost a lookup for an account that has none, and one decrypted epoch for all that have one', async () => {
    const decrypted = jest.spyOn(AtRest.prototype, 'decrypt');
    try {
      expect(await asked(world.stranger)).toEqual({ known: [draft.id], payouts: [] });
      expect(decrypted).not.toHaveBeenCalled();
      const answers = await Promise.all(world.contributors.slice(0, 2).map((signer) => asked(signer)));
      expect(answers.map(({ payouts }) => payouts.length)).toEqual([1, 1]);
      expect(decrypted).toHaveBeenCalledTimes(1);
    } finally {
      decrypted.mockRestore();
    }
  });

  it('are built for everybody together at most so often, and with other work between', async () => {
    const { database, keys, atRest } = world.holders[0]!.holder;
    const parts = { database, atRest, indexKey: keys.index };
    const epochs = new CountersignedEpochs({ ...parts, builds: new RateLimiter(1, world.clock) });
    const accountOf = (n: number) => hexOf<Hex32>(`account ${n}`) as string as Address;
    const leaves = Array.from({ length: 1_000 }, (_, index) => ({
      ...draft.built.leaves[0]!,
      index,
      account: accountOf(index),
      salt: hexOf<Hex32>(`salt ${index}`),
    }));
    const of = { daoId: world.daoId, number: 1n, settler: hexOf<RunnerId>('settler') };
    const [first, second] = [hexOf<EpochId>('first'), hexOf<EpochId>('second')];
    for (const [i, id] of [first, second].entries()) {
      const signed = { id, statement: bytesOf('statement'), settlerSignature: bytesOf('signature') };
      await epochs.insert(signed, { of: { ...of, attempt: i }, leaves, isSigned: true, atMs: world.clock.nowMs() });
    }
    const work = { turns: 0, isDone: false };
    const others = (async () => {
      for (; !work.isDone; work.turns++) await new Promise((resolve) => setImmediate(resolve));
    })();
    const proven = await epochs.leafOf(world.daoId, first, accountOf(999));
    work.isDone = true;
    await others;
    expect(work.turns).toBeGreaterThan(10); // 1,000 leaves, 64 a turn
    expect(proven?.leaf).toEqual(leaves[999]);
    const { root } = new EpochTree(leaves);
    expect(isLeafOf({ root, leafCount: 1_000 }, proven!.leaf, proven!.proof)).toBe(true);
    expect(await refusalOf(epochs.leafOf(world.daoId, second, accountOf(0)))).toBe('RATE_LIMITED');
    expect(await epochs.leafOf(world.daoId, second, accountOf(1_000))).toBeNull();
    expect(await refusalOf(epochs.leafOf(world.daoId, first, accountOf(1)))).toBe('ok');
  });

  it('are asked for at most so often', async () => {
    const codes: string[] = [];
    for (let i = 0; i < 31; i++) codes.push(await refusalOf(asked(world.contributors[0]!)));
    expect(codes.slice(0, 30).every((code) => code === 'ok')).toBe(true);
    expect(codes[30]).toBe('RATE_LIMITED');
  });
});
