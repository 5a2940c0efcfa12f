import { EncryptedObject } from '@mysten/seal';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SealApprovals } from '@usufruct/chain';
import {
  asId,
  concatBytes,
  fromHex,
  toHex,
  toUsufructError,
  type Address,
  type ContributionId,
  type GrantId,
  type RunnerId,
} from '@usufruct/kernel';
import type { SealedKeys } from '@usufruct/protocol';
import {
  buildPackage,
  FakeChain,
  idOf,
  readCompiled,
  sealFacts,
  sealFetch,
  sealJudge,
  SealKeyServer,
  seededRandom,
  settle,
  SUI_IDS,
  SuiWorld,
  type CompiledPackage,
  type SealAnswer,
  type SealFacts,
} from '@usufruct/testing';
import { openSecrets, sealApprovalsOf, secretSealer, type SealAccess, type SecretWanted } from './index.js';

const RUNNER = idOf<RunnerId>('runner');
const SIGNING_KEY = seededRandom('attested key')(32);
const SECRET = seededRandom('secret')(32);
const addressOf = (seed: Uint8Array): Address =>
  asId<Address>(Ed25519Keypair.fromSecretKey(seed).toSuiAddress(), 'address');

let compiled: CompiledPackage;
/** Encrypted once: the servers of every world have the same keys. */
let contributed: SecretWanted;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
  contributed = await new World().contributed('contribution');
}, 120_000);

/** A Sui network with our package, a granted contribution, a funded job, a registered runner and three key servers. */
class World {
  readonly sui: SuiWorld;
  readonly facts: SealFacts = sealFacts();
  readonly servers: readonly SealKeyServer[];
  readonly access: SealAccess;

  constructor() {
    this.sui = new SuiWorld(compiled);
    settle(this.sui);
    const { packageId } = this.sui.settings;
    this.sui.sui.objects.set(packageId, { type: 'package' });
    this.sui.sui.judge = sealJudge(this.facts);
    this.facts.runners.set(RUNNER, addressOf(SIGNING_KEY));
    this.servers = ['a', 'b', 'c'].map((name) => new SealKeyServer(name, this.sui.sui, packageId));
    this.access = {
      approvals: this.sui.chain.seal(),
      keyServers: this.servers.map(({ objectId }) => ({ objectId })),
      fetch: sealFetch(this.servers),
      timeoutMs: 30_000,
    };
  }

  /** Encrypts a secret for a contribution that is granted, as its owner would. */
  async contributed(name: string, secret = SECRET, threshold = 2): Promise<SecretWanted> {
    const contributionId = name === 'contribution' ? SUI_IDS.contribution : idOf<ContributionId>(name);
    const grantId = idOf<GrantId>(`grant of ${name}`);
    this.facts.grants.set(grantId, { contributionId, isRevoked: false });
    const keys = await secretSealer(this.access, threshold).seal(contributionId, secret);
    return { contributionId, grantId, keys };
  }
  revoke({ grantId, contributionId }: SecretWanted): void {
    this.facts.grants.set(grantId, { contributionId, isRevoked: true });
  }

  async open(wanted: readonly SecretWanted[], access: SealAccess = this.access, signingSecretKey = SIGNING_KEY) {
    return openSecrets(access, { jobId: SUI_IDS.job, runnerId: RUNNER, signingSecretKey, wanted });
  }
  /** The secret of the only one, or the code of its refusal. */
  async outcome(...given: [SecretWanted, SealAccess?, Uint8Array?]): Promise<Uint8Array | string> {
    const [wanted, ...rest] = given;
    const { secrets, refusals } = await this.open([wanted], ...rest);
    expect(secrets.size + refusals.size).toBe(1);
    return secrets.get(wanted.contributionId) ?? refusals.get(wanted.contributionId)!.code;
  }
  get asked(): number {
    return this.servers.reduce((sum, { asked }) => sum + asked, 0);
  }
}

let world: World;
let wanted: SecretWanted;
beforeEach(() => {
  // Seal's client says on the console which server gave a wrong key.
  jest.spyOn(console, 'warn').mockReturnValue(undefined);
  world = new World();
  wanted = contributed;
  world.facts.grants.set(wanted.grantId, { contributionId: wanted.contributionId, isRevoked: false });
});

describe('a secret under key servers', () => {
  it('is opened by the registered runner of a funded job, with a valid grant', async () => {
    expect(await world.outcome(wanted)).toEqual(SECRET);
  });

  it('is opened with any two of the three, and with none fewer', async () => {
    for (const server of world.servers) {
      server.isDown = true;
      expect(await world.outcome(wanted)).toEqual(SECRET);
      server.isDown = false;
    }
    world.servers[0]!.isDown = true;
    world.servers[2]!.isDown = true;
    expect(await world.outcome(wanted)).toBe('SHARES_INSUFFICIENT');
  });

  it('is asked for anew each time, so that a revocation counts from the next', async () => {
    expect(await world.outcome(wanted)).toEqual(SECRET);
    world.revoke(wanted);
    expect(await world.outcome(wanted)).toBe('GRANT_REVOKED');
  });

  it('does not fail for what was refused beside it, and only that is named', async () => {
    const others = [await world.contributed('second', seededRandom('2')(32)), await world.contributed('third')];
    world.revoke(others[1]!);
    const { secrets, refusals } = await world.open([wanted, ...others]);
    expect([...secrets]).toEqual([
      [wanted.contributionId, SECRET],
      [others[0]!.contributionId, seededRandom('2')(32)],
    ]);
    expect([...refusals].map(([id, { code }]) => [id, code])).toEqual([[others[1]!.contributionId, 'GRANT_REVOKED']]);
  });
});

describe('what the contracts refuse', () => {
  type Change = (facts: SealFacts) => void;
  const rows: [string, string, string, Change][] = [
    [
      'a runner that is not registered',
      'RUNNER_NOT_REGISTERED',
      'runner_registry::ENotRegistered',
      (f) => f.runners.clear(),
    ],
    [
      'a runner registered with another key',
      'WRONG_WALLET',
      'grant::EWrongRunner',
      (f) => f.runners.set(RUNNER, idOf('somebody')),
    ],
    ['a revoked grant', 'GRANT_REVOKED', 'grant::ERevoked', () => world.revoke(wanted)],
    [
      'a grant for another contribution',
      'GRANT_REQUIRED',
      'grant::EGrantRequired',
      (f) => f.grants.set(wanted.grantId, { contributionId: idOf('another'), isRevoked: false }),
    ],
    ['a job that is over', 'JOB_STATE', 'job::EClosed', (f) => void (f.isJobFunded = false)],
    ['a tombstoned dataset', 'TOMBSTONED', 'dataset::ETombstoned', (f) => void (f.isDatasetTombstoned = true)],
    [
      'a tombstoned contribution',
      'TOMBSTONED',
      'contribution::ETombstoned',
      (f) => f.tombstoned.add(wanted.contributionId),
    ],
    ['a DAO that is paused', 'DAO_PAUSED', 'data_dao::EPaused', (f) => void (f.isPaused = true)],
  ];
  it.each(rows)('is refused by every server: %s', async (_name, code, rule, change) => {
    change(world.facts);
    const { secrets, refusals } = await world.open([wanted]);
    expect(secrets.size).toBe(0);
    expect(refusals.get(wanted.contributionId)).toMatchObject({ code, details: { rule } });
    expect(world.asked).toBeGreaterThan(0);
  });

  it('is refused to a sender that is not the attested key', async () => {
    expect(await world.outcome(wanted, world.access, seededRandom('the operator')(32))).toBe('WRONG_WALLET');
  });

  it('is refused under another identity than the contribution, whoever built the transaction', async () => {
    const other = fromHex(idOf('another'));
    const approvals: SealApprovals = {
      ...world.access.approvals,
      transactionOf: async (request) => {
        const kind = await world.access.approvals.transactionOf(request);
        const data = TransactionDataBuilder.fromKindBytes(kind);
        const [first] = data.commands[0]!.MoveCall!.arguments;
        const id = first?.$kind === 'Input' ? data.inputs[first.Input] : undefined;
        if (id?.$kind !== 'Pure') throw new Error('the identity comes first');
        id.Pure.bytes = Buffer.from(concatBytes(Uint8Array.of(32), other)).toString('base64');
        return data.build({ onlyTransactionKind: true });
      },
    };
    expect(await world.outcome(wanted, { ...world.access, approvals })).toBe('KEY_SERVERS_REFUSED');
  });

  it('is said to be their view where only their nodes refuse', async () => {
    for (const server of world.servers) server.isBehind = true;
    expect(await world.outcome(wanted)).toBe('KEY_SERVERS_REFUSED');
  });
});

describe('key servers that do not do as they should', () => {
  const otherKey: (answer: SealAnswer) => SealAnswer = ({ decryption_keys: [key] }) => {
    const [first, second] = key!.encrypted_key;
    return { decryption_keys: [{ ...key!, encrypted_key: [second, first] }] };
  };
  const faults: [string, (server: SealKeyServer) => void][] = [
    ['has lost its key', (server) => server.loseMasterKey()],
    ['has its answer changed on the way', (server) => void (server.tamper = otherKey)],
    [
      'gives the key of another identity',
      (server) =>
        void (server.tamper = ({ decryption_keys }) => ({
          decryption_keys: decryption_keys.map((key) => ({ ...key, id: key.id.map((byte) => byte ^ 1) })),
        })),
    ],
    ['gives none', (server) => void (server.tamper = () => ({ decryption_keys: [] }))],
    ['answers with something else', (server) => void (server.tamper = () => ({}) as SealAnswer)],
    [
      'answers with no point',
      (server) =>
        void (server.tamper = ({ decryption_keys }) => ({
          decryption_keys: decryption_keys.map((key) => ({ ...key, encrypted_key: ['AAAA', 'AAAA'] })),
        })),
    ],
  ];
  it.each(faults)('one that %s is passed over, and two are too many', async (_name, fault) => {
    fault(world.servers[1]!);
    expect(await world.outcome(wanted)).toEqual(SECRET);
    fault(world.servers[2]!);
    expect(await world.outcome(wanted)).toBe('SHARES_INSUFFICIENT');
  });

  it('take no certificate that is over', async () => {
    for (const server of world.servers) server.clockAheadMs = 121_000;
    expect(await world.outcome(wanted)).toBe('UPSTREAM_INVALID');
  });

  it('take no transaction of another package', async () => {
    const servers = ['a', 'b', 'c'].map((name) => new SealKeyServer(name, world.sui.sui, idOf('another package')));
    expect(await world.outcome(wanted, { ...world.access, fetch: sealFetch(servers) })).toBe('UPSTREAM_INVALID');
  });

  it('are refused while something is encrypted to them', async () => {
    const seal = () =>
      secretSealer(world.access, 2)
        .seal(SUI_IDS.contribution, SECRET)
        .catch((error: unknown) => toUsufructError(error).code);
    world.servers[0]!.isDown = true;
    expect(await seal()).toBe('UPSTREAM_UNAVAILABLE');
    world.servers[0]!.isDown = false;
    world.servers[2]!.loseMasterKey();
    expect(await seal()).toBe('UPSTREAM_INVALID');
  });
});

describe('what a manifest calls its encrypted secret', () => {
  type Parsed = ReturnType<typeof EncryptedObject.parse>;
  const changed = (keys: SealedKeys, change: (object: Parsed) => Partial<Parsed>): SealedKeys => {
    const object = EncryptedObject.parse(keys.encryptedSecret);
    return { ...keys, encryptedSecret: EncryptedObject.serialize({ ...object, ...change(object) }).toBytes() };
  };
  const sharesOf = (keys: SealedKeys, at: readonly number[]): SealedKeys =>
    changed(keys, ({ services }) => ({ services: services.map(([id], i): [string, number] => [id, at[i]!]) }));
  const rows: [string, string, (keys: SealedKeys) => SealedKeys][] = [
    ['no object of Seal', 'encoding', (keys) => ({ ...keys, encryptedSecret: Uint8Array.of(1, 2, 3) })],
    [
      'trailing bytes',
      'encoding',
      (keys) => ({ ...keys, encryptedSecret: concatBytes(keys.encryptedSecret, Uint8Array.of(0)) }),
    ],
    ['another version', 'version', (keys) => changed(keys, () => ({ version: 1 }))],
    ['another package', 'packageId', (keys) => changed(keys, () => ({ packageId: idOf('another package') }))],
    ['another contribution', 'identity', (keys) => changed(keys, () => ({ id: toHex(fromHex(idOf('another'))) }))],
    ['another threshold', 'threshold', (keys) => ({ ...keys, threshold: 1 })],
    ['servers in another order', 'keyServers', (keys) => ({ ...keys, keyServers: keys.keyServers.toReversed() })],
    ['a server less', 'keyServers', (keys) => ({ ...keys, keyServers: keys.keyServers.slice(1) })],
    ['two shares at one place', 'shares', (keys) => sharesOf(keys, [1, 1, 2])],
    ['a share that is the secret', 'shares', (keys) => sharesOf(keys, [0, 1, 2])],
    [
      'more than a secret',
      'ciphertext',
      (keys) =>
        changed(keys, () => ({
          ciphertext: {
            $kind: 'Aes256Gcm',
            Aes256Gcm: { blob: new Uint8Array(49), aad: null },
          } as Parsed['ciphertext'],
        })),
    ],
  ];
  it.each(rows)('is refused before any server is asked: %s', async (_name, check, change) => {
    const { refusals } = await world.open([{ ...wanted, keys: change(wanted.keys) }]);
    expect(refusals.get(wanted.contributionId)).toMatchObject({ code: 'MANIFEST_INVALID', details: { check } });
    expect(world.asked).toBe(0);
  });

  it('is refused where it does not open', async () => {
    const keys = changed(wanted.keys, ({ ciphertext }) => {
      const { blob, aad } = ciphertext.Aes256Gcm!;
      const flipped = Uint8Array.from(blob, (byte, i) => (i === 0 ? byte ^ 1 : byte));
      return { ciphertext: { $kind: 'Aes256Gcm', Aes256Gcm: { blob: flipped, aad } } as Parsed['ciphertext'] };
    });
    expect(await world.outcome({ ...wanted, keys })).toBe('MANIFEST_INVALID');
  });

  it('makes nobody ask a server that is not configured here', async () => {
    const [known] = world.access.keyServers;
    expect(await world.outcome(wanted, { ...world.access, keyServers: [known!] })).toBe('KEY_MODE_UNAVAILABLE');
    expect(world.asked).toBe(0);
    expect(await world.outcome(wanted, { ...world.access, keyServers: world.access.keyServers.slice(0, 2) })).toEqual(
      SECRET,
    );
    expect(world.servers[2]!.asked).toBe(0);
  });

  it('is a secret of 32 bytes', async () => {
    const sealing = secretSealer(world.access, 2).seal(SUI_IDS.contribution, new Uint8Array(31));
    await expect(sealing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a party without key servers', () => {
  it('is told what the mode needs, on the local chain', () => {
    expect(() => sealApprovalsOf(new FakeChain())).toThrow(
      expect.objectContaining({ code: 'KEY_MODE_UNAVAILABLE', details: expect.objectContaining({ chain: 'local' }) }),
    );
  });
});
