import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { seal, sign, type SigningKey } from '@usufruct/crypto';
import {
  asTimestampMs,
  concatBytes,
  fromBase64,
  toBase64,
  type Address,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
  type RunnerId,
  type TimestampMs,
} from '@usufruct/kernel';
import { buildEpoch, EpochTree, isLeafOf, saltsFrom, type BuiltEpoch } from '@usufruct/ledger';
import {
  EMPTY_RECEIPT_CHAIN,
  epochIdOf,
  epochSeedInfo,
  EpochStatementBcs,
  LIMITS,
  nextReceiptChain,
  payoutQueryDigest,
  receiptDigest,
  TAGS,
  WALLET_ACTIONS,
  walletStatementBytes,
  zPayoutAnswer,
  type CountersignRequest,
  type EpochStatement,
  type PayoutAnswer,
} from '@usufruct/protocol';
import type { WalletSigner } from '@usufruct/chain';
import { testReader } from '@usufruct/testing';
import { bytesOf, digestOf, hexOf, signingKeyOf } from '../../apps/local-chain/src/testing/world.js';
import { CountersignedEpochs } from '../../apps/key-holder/src/payout/countersigned-epochs.js';
import { RateLimiter } from '../../apps/key-holder/src/rate-limit.js';
import { AtRest } from '../../apps/key-holder/src/store/at-rest.js';
import { world, refusalOf, FIRST, useWorld } from './in-world.js';

useWorld();

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
    digests = [await world.settledWith(1, FIRST), await world.settledWith(2, [null, 1n, 3n])];
  });
  const giveTo = async (n: number): Promise<void> => {
    await world.startAndRelease([n]);
    for (const [i, weights] of [FIRST, [null, 1n, 3n]].entries()) {
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
    const digests = [await world.settledWith(1, FIRST), await world.settledWith(2, [null, 1n, 3n])];
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
