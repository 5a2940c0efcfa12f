import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { verify } from '@usufruct/crypto';
import { fromBase64, toBase64, toHex, type Digest } from '@usufruct/kernel';
import { requireSealingKey, ShareReceiptBcs, TAGS, type SignedSealingKey } from '@usufruct/protocol';
import {
  aContribution,
  aDataset,
  dealManifest,
  idOf,
  seededRandom,
  signManifest,
  TEST_NOW_MS,
  testWallet,
  type ManifestChanges,
} from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import {
  SET,
  secretOf,
  wallet,
  chain,
  clock,
  folder,
  holders,
  dealt,
  start,
  call,
  sealTo,
  depositOf,
  deposit,
  useHolders,
} from '../testing/three-holders.js';

useHolders();

describe('deposit', () => {
  it('stores each share with its holder and signs a receipt; twice is once', async () => {
    for (const [n, holder] of holders.entries()) {
      const first = await deposit(n);
      expect(first).toMatchObject({ status: 200, body: { index: n + 1, manifestDigest: dealt.digest } });
      const signed = { manifestDigest: dealt.digest, holderSetId: SET, index: n + 1 };
      const receipt = {
        publicKey: holder.holder.keys.signing.publicKey,
        domainTag: TAGS.shareReceipt,
        message: ShareReceiptBcs.serialize(signed).toBytes(),
        signature: fromBase64(first.body.signature),
      };
      expect(await verify(receipt)).toBe(true);
      expect((await deposit(n)).body).toEqual(first.body);
      expect(holder.holder.shares.countOf(dealt.manifest.contributionId)).toBe(1);
    }
  });

  it('writes no share in clear to the disk', async () => {
    await deposit(0);
    const { value } = dealt.shares[0]!;
    const files = readdirSync(join(folder, 'holder-1'), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
    const all = Buffer.concat(files);
    expect(all.includes(Buffer.from(dealt.digest))).toBe(true); // the search does find what is there
    for (const form of [Buffer.from(value), toHex(value), toBase64(value)]) expect(all.includes(form)).toBe(false);
  });

  type Request = Awaited<ReturnType<typeof depositOf>>;
  const remade = async (changes: ManifestChanges): Promise<Request> => {
    const made = dealManifest(wallet.address, changes);
    return depositOf(holders[0]!, made.shares[0]!, made);
  };
  const rows: [string, string, () => Promise<Partial<Request>>][] = [
    [
      'a signature of another wallet',
      'SIGNATURE_INVALID',
      async () => ({ signature: await signManifest(testWallet('thief'), dealt) }),
    ],
    ['no signature', 'SIGNATURE_INVALID', async () => ({ signature: '' })],
    [
      'a signature over another manifest',
      'SIGNATURE_INVALID',
      async () => ({ signature: (await remade({ salt: idOf('other') })).signature }),
    ],
    ['trailing bytes', 'MANIFEST_INVALID', async () => ({ manifest: toBase64(new Uint8Array([...dealt.bytes, 0])) })],
    ['no manifest', 'MANIFEST_INVALID', async () => ({ manifest: 'AAAA' })],
    ['no base64', 'INVALID_ARGUMENT', async () => ({ manifest: '!' })],
    ['another chain', 'MANIFEST_INVALID', () => remade({ chainId: 'sui:mainnet' })],
    ['a contribution id that is not derived', 'MANIFEST_INVALID', () => remade({ contributionId: idOf('invented') })],
    ['a dataset that does not exist', 'NOT_FOUND', () => remade({ datasetId: idOf('nowhere') })],
    ['a holder set that the DAO does not name', 'MANIFEST_INVALID', () => remade({ holderSetId: idOf('other-set') })],
    ['another number of holders', 'MANIFEST_INVALID', () => remade({ holderCount: 4 })],
    ['another threshold', 'MANIFEST_INVALID', () => remade({ threshold: 3 })],
    ['an outdated policy', 'POLICY_OUTDATED', () => remade({ policyDigest: idOf<Digest>('old') })],
    [
      'no points as commitments',
      'MANIFEST_INVALID',
      () => remade({ commitments: [new Uint8Array(32), new Uint8Array(32)] }),
    ],
    [
      'shares dealt for other commitments',
      'SHARE_INVALID',
      async () => {
        const other = dealManifest(wallet.address, {}, seededRandom('another deal'));
        return sealTo(holders[0]!, other.shares[0]!, dealt.digest);
      },
    ],
    [
      'the share of another holder, sealed to it',
      'SEALING_KEY_RETIRED',
      () => sealTo(holders[1]!, dealt.shares[1]!, dealt.digest),
    ],
    [
      'the share of another holder, sealed to us',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, dealt.shares[1]!, dealt.digest),
    ],
    [
      'another share under our index',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, { ...dealt.shares[1]!, index: 1 }, dealt.digest),
    ],
    [
      'a share sealed for another manifest',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, dealt.shares[0]!, idOf<Digest>('other')),
    ],
    ['no sealed share', 'SHARE_INVALID', async () => ({ sealedShare: '' })],
    [
      'a share sealed to the key on the chain',
      'SEALING_KEY_RETIRED',
      () => sealTo(holders[0]!, dealt.shares[0]!, dealt.digest, holders[0]!.holder.keys.sealing),
    ],
    [
      'a share sealed to the key on the chain and said to be sealed to ours',
      'SHARE_INVALID',
      async () => {
        const { keys, subkeys } = holders[0]!.holder;
        const sealed = await sealTo(holders[0]!, dealt.shares[0]!, dealt.digest, keys.sealing);
        return { ...sealed, sealedTo: toBase64((await subkeys.current()).publicKey) };
      },
    ],
    ['no key that it is sealed to', 'SEALING_KEY_RETIRED', async () => ({ sealedTo: '' })],
  ];
  it.each(rows)('refuses %s with %s and stores nothing', async (_name, code, change) => {
    const request = { ...(await depositOf(holders[0]!, dealt.shares[0]!)), ...(await change()) };
    const { body } = await call(holders[0]!, '/v1/shares', request);
    expect(body.code).toBe(code);
    const stored = holders[0]!.holder.database.prepare('SELECT count(*) AS n FROM shares').get();
    expect(stored).toEqual({ n: 0 });
  });

  describe('is sealed to a key that the holder signs for', () => {
    const statementOf = async (n: number) => (await call<SignedSealingKey>(holders[n]!, '/v1/sealing-key')).body;
    const keyOf = async (n: number) => {
      const { chainId, packageId } = await chain.info();
      const member = (await chain.holderSet(SET)).members[n]!;
      return requireSealingKey(await statementOf(n), { member, chainId, packageId, nowMs: clock.nowMs(), verify });
    };
    /** What was sealed to a key of before, sent now. */
    const send = async (to: { readonly publicKey: Uint8Array }, made = dealt) => {
      const sealed = await sealTo(holders[0]!, made.shares[0]!, made.digest, to);
      const request = { ...(await depositOf(holders[0]!, made.shares[0]!, made)), ...sealed };
      return (await call<object>(holders[0]!, '/v1/shares', request)).body;
    };

    it('for a day, in the same words until there is another', async () => {
      const [first, said] = [await keyOf(0), await statementOf(0)];
      expect([first.notBeforeMs, first.notAfterMs]).toEqual([TEST_NOW_MS, TEST_NOW_MS + 86_400_000]);
      clock.advance(86_399_999);
      expect(await statementOf(0)).toEqual(said);
      clock.advance(1);
      expect((await keyOf(0)).publicKey).not.toEqual(first.publicKey);
    });

    it('of its own, that neither the chain nor its secret names', async () => {
      const { keys } = holders[0]!.holder;
      const first = await keyOf(0);
      expect(first.publicKey).not.toEqual(keys.sealing.publicKey);
      const again = await deriveHolderKeys(secretOf(1));
      expect(again.sealing.publicKey).toEqual(keys.sealing.publicKey);
      expect((await keyOf(1)).publicKey).not.toEqual(first.publicKey);
    });

    it('also ten minutes after its end, and no longer; what was stored is acknowledged all the same', async () => {
      const [first, second] = [await keyOf(0), dealManifest(wallet.address, { salt: idOf('second') })];
      clock.advance(86_400_000 + 599_999);
      const receipt = await send(first);
      expect(receipt).toMatchObject({ index: 1, manifestDigest: dealt.digest });
      clock.advance(1);
      expect(await send(first, second)).toMatchObject({
        code: 'SEALING_KEY_RETIRED',
        remedy: expect.stringContaining('GET /v1/sealing-key'),
      });
      expect(await send(first)).toEqual(receipt);
      expect(await send(await keyOf(0), second)).toMatchObject({ index: 1 });
    });

    it('that outlives the process', async () => {
      const first = await keyOf(0);
      await holders[0]!.close();
      holders[0] = await start(1);
      expect((await keyOf(0)).publicKey).toEqual(first.publicKey);
      expect(await send(first)).toMatchObject({ index: 1 });
    });
  });

  it('refuses a manifest when another one is registered for the contribution', async () => {
    chain.put(
      'contribution',
      aContribution({ id: dealt.manifest.contributionId, manifestDigest: idOf<Digest>('other') }),
    );
    expect((await deposit(0)).body.code).toBe('MANIFEST_MISMATCH');
  });

  it('refuses where it has no seat', async () => {
    const outsider = await start(4);
    const request = await depositOf(outsider, dealt.shares[0]!);
    expect((await call(outsider, '/v1/shares', request)).body.code).toBe('FORBIDDEN');
  });

  it('refuses for a dataset that was retired', async () => {
    chain.put('dataset', aDataset({ tombstonedAtMs: TEST_NOW_MS }));
    expect((await deposit(0)).body.code).toBe('TOMBSTONED');
  });

  it('refuses once its own key was retired, and the others do not', async () => {
    const set = await chain.holderSet(SET);
    chain.put('holder-set', { ...set, tombstonedKeys: [set.members[0]!.signingPublicKey] });
    expect((await deposit(0)).body.code).toBe('TOMBSTONED');
    expect((await deposit(1)).status).toBe(200);
  });

  it('bounds how often one contribution is dealt', async () => {
    for (let i = 0; i < 9; i++) {
      const made = dealManifest(wallet.address, {}, seededRandom(`deal ${i}`));
      expect((await deposit(0, made)).status).toBe(i < 8 ? 200 : 429);
    }
  });
});
