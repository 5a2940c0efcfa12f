import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { open, seal, sign, verify, type SigningKey } from '@usufruct/crypto';
import {
  asTimestampMs,
  concatBytes,
  fromBase64,
  fromHex,
  toBase64,
  UsufructError,
  utf8,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
} from '@usufruct/kernel';
import {
  decodeOpenings,
  encodeOpening,
  encodePaddedOpening,
  LIMITS,
  OpeningAckBcs,
  openingsAnswerInfo,
  openingSealInfo,
  OpeningsQueryBcs,
  receiptDigest,
  TAGS,
  UsesBcs,
  usesCommitment,
  type Opening,
  type UsageReceipt,
} from '@usufruct/protocol';
import { PRICE } from '../../apps/local-chain/src/testing/dao-world.js';
import { digestOf, hexOf, signingKeyOf } from '../../apps/local-chain/src/testing/world.js';
import { world, refusalOf, storedOpenings, FIRST, useWorld } from './in-world.js';

const MINUTE_MS = 60_000;

useWorld();

describe('an opening', () => {
  it('is stored and acknowledged with a signature; twice is once', async () => {
    const opening = await world.opening(1, FIRST);
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
    const opening = await world.opening(1, FIRST);
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
    const late = await world.opening(1, FIRST);
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
  const receipt = (changes: Partial<UsageReceipt>, weights: readonly (bigint | null)[] = FIRST): Made =>
    world.opening(1, weights, changes);
  const withUses = async (uses: Opening['uses']): Made => ({
    ...(await receipt({ usesCommitment: usesCommitment(hexOf('uses salt'), uses) })),
    uses,
  });
  const used = () => world.uses(...FIRST);
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
      () => world.opening(1, FIRST, {}, signingKeyOf('thief')),
    ],
    [
      'a runner that nobody registered',
      'RUNNER_NOT_REGISTERED registered',
      () => {
        const thief = signingKeyOf('thief');
        return world.opening(1, FIRST, { signerPublicKey: thief.publicKey }, thief);
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
    const [named] = world.uses(...FIRST);
    const away = hexOf<ContributionId>('invented');
    await world.run(world.contributors[0]!, { kind: 'revokeGrant', grantId: world.grantIds[0]! });
    const rows: [string, Opening['uses']][] = [
      ['GRANT_REVOKED', [named!]],
      ['GRANT_REQUIRED', [{ ...named!, grantId: world.grantIds[2]! }]],
      ['NOT_FOUND', [{ ...named!, contributionId: away }]],
    ];
    for (const [code, uses] of rows) {
      const opening = await world.opening(1, FIRST, { usesCommitment: usesCommitment(hexOf('uses salt'), uses) });
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
    const opening = await world.opening(1, FIRST);
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
    const opening = await world.opening(1, FIRST);
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
    const request = await world.sealed(0, await world.opening(1, FIRST));
    expect(await refusalOf(world.ask(0, '/v1/openings', request))).toBe('RECEIPT_INVALID payoutMode');
  });

  it('is bounded by the number of questions that were paid for', async () => {
    for (let n = 0; n < 3 + 64; n++)
      await world.ask(0, '/v1/openings', await world.sealed(0, await world.opening(n, FIRST)));
    const one = await world.sealed(0, await world.opening(99, FIRST));
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
    const [first, second] = [await world.settledWith(1, FIRST), await world.settledWith(2, [null, 1n, 3n], [])];
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
    const [first, second] = [await world.settledWith(1, FIRST), await world.settledWith(2, [null, 1n, 3n])];
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
