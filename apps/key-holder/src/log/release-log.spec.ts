import { beforeEach, describe, expect, it } from '@jest/globals';
import { leafHash, verifyConsistency, verifyInclusion } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, fromHex } from '@usufruct/kernel';
import {
  LIMITS,
  logQueryDigest,
  ReleaseLeafBcs,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ReleaseAnswer,
} from '@usufruct/protocol';
import { aJob, idOf, testReader, testWallet } from '@usufruct/testing';
import { anchorTreeHeads } from '../log/anchor.js';
import {
  SET,
  wallet,
  chain,
  clock,
  holders,
  dealt,
  call,
  deposit,
  register,
  releaseFrom,
  useHolders,
} from '../testing/three-holders.js';

useHolders();

describe('log', () => {
  beforeEach(async () => {
    await deposit(0);
    register();
  });
  const query = async (by = wallet, issuedAtMs = clock.nowMs(), askedOf = holders[0]!) => {
    const { contributionId } = dealt.manifest;
    const reader = testReader();
    const digest = logQueryDigest({ contributionId, readerPublicKey: reader.publicKey, issuedAtMs });
    const statement = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId: 'local:test', digest });
    const signature = await by.signPersonalMessage(statement);
    return call<{
      entries: { leaf: string; leafIndex: number; inclusionProof: string[] }[];
      head: ReleaseAnswer['head'];
    }>(holders[0]!, '/v1/log/query', {
      contributionId,
      issuedAtMs,
      signature,
      reader: await reader.forHolder(digest, askedOf.holder.keys.signing.publicKey),
    });
  };
  const one = () => releaseFrom(holders.slice(0, 1));

  it('shows an owner every decision about their contribution, proven, and nobody else', async () => {
    await one();
    chain.put('job', aJob({ state: 'cancelled' }));
    await one();
    const { body } = await query();
    const { rootHash, treeSize } = TreeHeadBcs.parse(fromBase64(body.head.treeHead));
    expect(body.entries.map(({ leaf }) => ReleaseLeafBcs.parse(fromBase64(leaf)).decision)).toEqual([
      'RELEASED',
      'JOB_STATE',
    ]);
    for (const { leaf, leafIndex, inclusionProof } of body.entries) {
      const proof = inclusionProof.map((hash) => fromBase64(hash));
      const claim = { leafHash: leafHash(fromBase64(leaf)), leafIndex, treeSize, proof, root: fromHex(rootHash) };
      expect(verifyInclusion(claim)).toBe(true);
    }
    expect((await query(testWallet('stranger'))).body.code).toBe('SIGNATURE_INVALID');
    // Another holder repeats here what the owner asked of it.
    const repeated = await query(wallet, clock.nowMs(), holders[1]!);
    expect([repeated.body.code, repeated.body.details]).toEqual(['SIGNATURE_INVALID', { field: 'reader.signature' }]);
    expect((await query(wallet, asTimestampMs(clock.nowMs() - LIMITS.clockSkewMs - 1))).body.code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('only grows: any two heads are consistent, and a head of one size is always the same', async () => {
    const heads: { size: number; root: Uint8Array }[] = [];
    for (let i = 0; i < 5; i++) {
      await one();
      clock.advance(1_000);
      const { body } = await call<ReleaseAnswer['head']>(holders[0]!, '/v1/log/head');
      expect((await call(holders[0]!, `/v1/log/head?holderSetId=${SET}`)).body).toEqual(body);
      const { rootHash, treeSize } = TreeHeadBcs.parse(fromBase64(body.treeHead));
      heads.push({ size: treeSize, root: fromHex(rootHash) });
    }
    for (const [i, older] of heads.entries()) {
      for (const newer of heads.slice(i)) {
        const path = `/v1/log/consistency?first=${older.size}&second=${newer.size}`;
        const { body } = await call<{ proof: string[] }>(holders[0]!, path);
        const proof = body.proof.map((hash) => fromBase64(hash));
        const claim = { oldSize: older.size, newSize: newer.size, oldRoot: older.root, newRoot: newer.root, proof };
        expect(verifyConsistency(claim)).toBe(true);
      }
    }
    expect((await call(holders[0]!, '/v1/log/consistency?first=1&second=9')).body.code).toBe('INVALID_ARGUMENT');
    expect((await call(holders[0]!, `/v1/log/head?holderSetId=${idOf('none')}`)).body.code).toBe('NOT_FOUND');
  });

  it('is signed and anchored for the place that a rotation gave this holder', async () => {
    await one();
    const before = TreeHeadBcs.parse(fromBase64((await query()).body.head.treeHead));
    const set = await chain.holderSet(SET);
    const [first, second, third] = set.members;
    chain.put('holder-set', { ...set, version: 2, members: [second!, first!, third!] });
    const after = TreeHeadBcs.parse(fromBase64((await query()).body.head.treeHead));
    expect([before.member, after.member]).toEqual([0, 1]);
    expect([after.treeSize, after.rootHash]).toEqual([before.treeSize, before.rootHash]);
    await anchorTreeHeads(holders[0]!.holder);
    expect(chain.executed.at(-1)![0]).toMatchObject({ kind: 'anchorTreeHead', member: 1 });
    // Who was rotated out anchors nothing any more, and still answers for what it logged.
    await one();
    chain.put('holder-set', { ...set, version: 3, members: [second!, third!] });
    await anchorTreeHeads(holders[0]!.holder);
    expect(chain.executed).toHaveLength(1);
    expect((await query()).status).toBe(200);
  });

  it('is anchored on the chain when it has grown, and a chain that is down keeps nothing waiting', async () => {
    const { holder } = holders[0]!;
    await anchorTreeHeads(holder);
    expect(chain.executed).toEqual([]);
    await one();
    await anchorTreeHeads(holder);
    await anchorTreeHeads(holder);
    expect(chain.executed).toHaveLength(1);
    expect(chain.executed[0]![0]).toMatchObject({ kind: 'anchorTreeHead', holderSetId: SET, member: 0 });
    await one();
    chain.isDown = true;
    await anchorTreeHeads(holder);
    chain.isDown = false;
    await anchorTreeHeads(holder);
    expect(chain.executed).toHaveLength(2);
  });
});
