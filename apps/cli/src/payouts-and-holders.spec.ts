import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sign, signingPublicKey } from '@usufruct/crypto';
import { asAmount, toBase64, toHex32, type Address, type EpochId, type RunnerId } from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import {
  epochIdOf,
  EpochStatementBcs,
  runnerIdOf,
  TAGS,
  toWireJson,
  type ChainAction,
  type EpochStatement,
  type EpochView,
} from '@usufruct/protocol';
import { holderSigningKey } from '@usufruct/sdk';
import { aDao, aHolderSet, idOf, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import { CliWorld } from './testing/cli-world.js';

const DAO = aDao().id;

let world: CliWorld;
let sent: ChainAction[];
beforeEach(async () => {
  world = await CliWorld.open({ '/v1/info': testChainInfo() });
  sent = world.chain.sent;
});
afterEach(() => world.close());

describe('a payout of an epoch', () => {
  const EPOCH = idOf<EpochId>('epoch');
  const leaves = [0, 1, 2].map((index) => ({
    daoId: DAO,
    number: 1n,
    index,
    account: idOf<Address>(`account-${index}`),
    amountUnits: asAmount(1_500_000n),
    salt: idOf(`salt-${index}`),
  }));
  const tree = new EpochTree(leaves);
  const epoch: EpochView = {
    id: EPOCH,
    daoId: DAO,
    number: 1n,
    attempt: 1,
    settler: idOf('settler'),
    fromReceipt: 1n,
    toReceipt: 4n,
    totalUnits: asAmount(4_500_000n),
    root: tree.root,
    leafCount: 3,
    claimedUnits: asAmount(0n),
    state: 'open',
    objections: [],
    proposedAtMs: TEST_NOW_MS,
    challengeEndsAtMs: TEST_NOW_MS,
    claimTermMs: 60_000,
    unclaimedTo: 'treasury',
  };
  const fileOf = (leaf: object): string => {
    const path = join(world.home, 'proof.json');
    writeFileSync(path, toWireJson({ epochId: EPOCH, leaf, proof: tree.proofOf(1) }));
    return path;
  };
  beforeEach(() => {
    world.chain.views.set(`/v1/epochs/${EPOCH}`, epoch).set(`/v1/daos/${DAO}/epochs`, [epoch]);
    world.chain.views.set(`/v1/epochs/${EPOCH}/claims/1`, { isClaimed: false });
  });

  it('is claimed from a proof file, to the unit', async () => {
    expect((await world.run(['payout', 'claim', fileOf(leaves[1]!)])).code).toBe(3); // the chain refuses here
    const { account, amountUnits, salt } = leaves[1]!;
    const proof = tree.proofOf(1);
    expect(sent).toEqual([{ kind: 'claimPayout', epochId: EPOCH, index: 1, account, amountUnits, salt, proof }]);
  });

  it('is refused without sending anything when the file says one unit more', async () => {
    const greedy = fileOf({ ...leaves[1]!, amountUnits: 1_500_001n });
    expect(await world.json(['payout', 'claim', greedy])).toMatchObject({
      error: { code: 'CLAIM_INVALID', details: { checks: 'INCLUSION' } },
    });
    expect((await world.run(['payout', 'claim', join(world.home, 'none.json')])).code).toBe(3);
    expect((await world.run(['payout', 'claim', join(world.home, 'endpoints.json')])).code).toBe(2);
    expect(sent).toEqual([]);
  });

  it('is listed with its epoch, and swept', async () => {
    expect((await world.run(['payout', 'epochs', DAO])).out).toContain('ended  0 USDC of 4.5 USDC claimed');
    await world.run(['payout', 'sweep', EPOCH]);
    expect(sent).toEqual([{ kind: 'sweepEpoch', epochId: EPOCH }]);
  });

  it('is objected to by the operator of a member, which is counted from 1', async () => {
    await world.run(['payout', 'object', EPOCH, '--member', '2']);
    expect(sent).toEqual([{ kind: 'objectToEpoch', epochId: EPOCH, member: 1 }]);
    for (const wrong of ['0', '257', 'two']) {
      expect(await world.json(['payout', 'object', EPOCH, '--member', wrong])).toMatchObject({
        error: { code: 'INVALID_ARGUMENT' },
      });
    }
    expect(sent.length).toBe(1);
  });

  describe('that the settler signed twice', () => {
    const settler = seededRandom('settler')(32);
    const settlerPublicKey = signingPublicKey(settler);
    const statementOf = (changes: Partial<EpochStatement> = {}): Uint8Array =>
      EpochStatementBcs.serialize({
        chainId: 'local:test',
        packageId: idOf('package'),
        registryId: idOf('registry'),
        daoId: DAO,
        number: 1n,
        attempt: 1,
        fromReceipt: 1n,
        toReceipt: 4n,
        receiptChain: idOf('chain'),
        totalUnits: asAmount(4_500_000n),
        root: idOf('another root'),
        leafCount: 3,
        settlerPublicKey,
        issuedAtMs: TEST_NOW_MS,
        ...changes,
      }).toBytes();
    async function proving(statement: Uint8Array, signed = statement) {
      const domainTag = TAGS.epochStatement;
      const settlerSignature = await sign({ secretKey: settler, domainTag, message: signed });
      const path = join(world.home, 'statement.json');
      const file = { statement: toBase64(statement), settlerSignature: toBase64(settlerSignature) };
      writeFileSync(path, JSON.stringify(file));
      return { args: ['payout', 'prove', EPOCH, '--statement', path], statement, settlerSignature };
    }
    beforeEach(() => {
      const ours = { ...epoch, settler: runnerIdOf<RunnerId>(settlerPublicKey) };
      world.chain.views.set(`/v1/epochs/${EPOCH}`, ours);
    });

    it('is shown to the chain with the other statement', async () => {
      const { args, statement, settlerSignature } = await proving(statementOf());
      expect((await world.run(args)).code).toBe(3); // the chain refuses here
      expect(sent).toEqual([{ kind: 'proveEquivocation', epochId: EPOCH, statement, settlerSignature }]);
    });

    it.each<[string, () => ReturnType<typeof proving>, object]>([
      ['another attempt', () => proving(statementOf({ attempt: 2 })), { code: 'EPOCH_INVALID' }],
      ['another number', () => proving(statementOf({ number: 2n })), { code: 'EPOCH_INVALID' }],
      ['another DAO', () => proving(statementOf({ daoId: idOf('other') })), { code: 'EPOCH_INVALID' }],
      [
        'another settler',
        () => proving(statementOf({ settlerPublicKey: new Uint8Array(32) })),
        { code: 'EPOCH_INVALID', details: { check: 'equivocation' } },
      ],
      ['bytes that are none', () => proving(new Uint8Array(7)), { details: { check: 'encoding' } }],
      ['a signature over another', () => proving(statementOf(), new Uint8Array(1)), { code: 'SIGNATURE_INVALID' }],
    ])('is refused here, with nothing sent, for %s', async (_name, made, error) => {
      expect(await world.json((await made()).args)).toMatchObject({ error });
      expect(sent).toEqual([]);
    });

    it('is refused here for the epoch’s own statement', async () => {
      const { statement, args } = await proving(statementOf());
      const own = epochIdOf(statement);
      world.chain.views.set(`/v1/epochs/${own}`, {
        ...epoch,
        id: own,
        settler: runnerIdOf<RunnerId>(settlerPublicKey),
      });
      const ofOwn = args.map((arg) => (arg === EPOCH ? own : arg));
      expect(await world.json(ofOwn)).toMatchObject({ error: { code: 'EPOCH_INVALID' } });
      expect(sent).toEqual([]);
    });
  });
});

describe('a holder set that renews itself', () => {
  const random = seededRandom('holders');
  const secrets = [random(32), random(32), random(32)];
  const set = aHolderSet({
    members: aHolderSet().members.map((member, i) => ({
      ...member,
      signingPublicKey: toBase64(signingPublicKey(holderSigningKey(secrets[i]!))),
    })),
  });
  let holder: Server;
  let holderUrl: string;
  beforeEach(async () => {
    world.chain.views.set(`/v1/holder-sets/${set.id}`, set);
    const [first] = aHolderSet().members;
    const identity = { ...first, chainId: 'local:test', standIns: [] };
    holder = createServer((_request, response) => response.end(JSON.stringify(identity)));
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done));
    holderUrl = `http://127.0.0.1:${(holder.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise<void>((done) => holder.close(() => done())));

  it('is drafted, signed by its holders and sent', async () => {
    const draft = join(world.home, 'rotation.json');
    const drafted = await world.run([
      'holder-set',
      'draft',
      set.id,
      '--threshold',
      '1',
      '--holder',
      holderUrl,
      '--out',
      draft,
    ]);
    expect([drafted.code, statSync(draft).mode & 0o777]).toEqual([0, 0o600]);
    expect(await world.json(['holder-set', 'rotate', draft])).toMatchObject({
      error: { details: { field: 'signatures' } },
    });
    for (const [i, secret] of secrets.slice(0, 2).entries()) {
      const path = join(world.home, `secret-${i}`);
      writeFileSync(path, `${toHex32(secret).slice(2)}\n`);
      const signed = await world.run(['holder-set', 'sign', draft, '--secret-file', path]);
      expect(signed.out).toContain(`${i + 1} signatures so far`);
    }
    expect(readFileSync(draft, 'utf8')).not.toContain(toHex32(secrets[0]!).slice(2));
    expect((await world.run(['holder-set', 'rotate', draft])).code).toBe(3); // the chain refuses here
    expect(sent).toMatchObject([{ kind: 'rotateHolderSet', signatures: [{ member: 0 }, { member: 1 }] }]);
  });

  it('has a member retired by its operator, whose key is in the secret', async () => {
    const path = join(world.home, 'secret');
    writeFileSync(path, toHex32(secrets[2]!).slice(2));
    await world.run(['holder-set', 'tombstone', set.id, '3', '--secret-file', path]);
    expect(sent).toEqual([{ kind: 'tombstoneHolder', holderSetId: set.id, member: 2 }]);
    expect((await world.run(['holder-set', 'tombstone', set.id, '4'])).code).toBe(3);
  });

  it('repeats nothing of a secret file that is none', async () => {
    const path = join(world.home, 'secret');
    writeFileSync(path, 'not-a-secret');
    const said = await world.run(['--json', 'holder-set', 'tombstone', set.id, '1', '--secret-file', path]);
    expect([said.code, said.out.includes('not-a-secret')]).toEqual([2, false]);
  });
});
