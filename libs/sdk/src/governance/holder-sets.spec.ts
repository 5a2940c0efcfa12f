import { beforeEach, describe, expect, it } from '@jest/globals';
import { signingPublicKey } from '@usufruct/crypto';
import { fromBase64, toBase64, type Address, type HolderSetId } from '@usufruct/kernel';
import { HolderRotationBcs, type ChainEvent, type HolderSetView } from '@usufruct/protocol';
import {
  aHolderSet,
  FakeChain,
  FakeGraphql,
  FakeHolder,
  FakeStore,
  fetchOf,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { connect } from '../client.js';
import { memoryJournal } from '../journal.js';
import { holderSigningKey, readRotation, type RotationDraft } from './holder-sets.js';

const SET = idOf<HolderSetId>('holder-set');
const OPERATOR = testWallet('operator');
const random = seededRandom('rotation');
const SECRETS = [random(32), random(32), random(32)];
const KEYS = SECRETS.map(holderSigningKey);

const setOf = (changes: Partial<HolderSetView> = {}): HolderSetView =>
  aHolderSet({
    members: KEYS.map((key, i) => ({
      operator: OPERATOR.address,
      signingPublicKey: toBase64(signingPublicKey(key)),
      sealingPublicKey: toBase64(new Uint8Array(32).fill(i + 1)),
    })),
    ...changes,
  });
const newMembers = [4, 5, 6].map((n) => ({
  operator: idOf<Address>(`operator-${n}`),
  signingPublicKey: new Uint8Array(32).fill(n),
  sealingPublicKey: new Uint8Array(32).fill(10 + n),
}));
const asViews = (members: typeof newMembers): HolderSetView['members'] =>
  members.map(({ operator, signingPublicKey: signing, sealingPublicKey: sealing }) => ({
    operator,
    signingPublicKey: toBase64(signing),
    sealingPublicKey: toBase64(sealing),
  }));

let chain: FakeChain;
let events: Partial<ChainEvent>[];
beforeEach(() => {
  chain = new FakeChain().put('holder-set', setOf());
  events = [{ seq: 1, atMs: TEST_NOW_MS, data: { type: 'HolderSetCreated', holderSet: setOf() } }];
  chain.events = async (after) => events.filter(({ seq }) => (seq ?? 0) > after) as ChainEvent[];
  const { send } = chain;
  chain.send = async (transaction) => {
    const outcome = await send(transaction);
    for (const action of chain.executed.at(-1) ?? []) {
      if (action.kind === 'rotateHolderSet') {
        const { version, threshold, members } = HolderRotationBcs.parse(action.rotation);
        const view = setOf({ version, threshold, members: asViews(members as typeof newMembers) });
        chain.put('holder-set', view);
        events.push({ seq: 2, atMs: TEST_NOW_MS, data: { ...view, type: 'HolderSetRotated', holderSetId: SET } });
      }
      if (action.kind === 'tombstoneHolder') {
        const { members } = await chain.holderSet(SET);
        chain.put('holder-set', setOf({ tombstonedKeys: [members[action.member]!.signingPublicKey] }));
      }
    }
    return outcome;
  };
});

const client = (holders: readonly FakeHolder[] = []) =>
  connect({
    apiUrl: new FakeGraphql().url,
    chain,
    store: new FakeStore(),
    holders: [],
    signer: OPERATOR,
    journal: memoryJournal(),
    fetch: fetchOf(holders),
    clock: new ManualClock(),
    random: seededRandom('client'),
  });

async function signedBy(...members: number[]): Promise<RotationDraft> {
  const { holderSets } = client();
  let draft = await holderSets.draftRotation(SET, newMembers, 2);
  for (const member of members) draft = await holderSets.signRotation(draft, KEYS[member]!);
  return draft;
}

describe('rotation of a holder set', () => {
  it('is drafted, signed by enough members, and made once', async () => {
    const draft = await signedBy(2, 0, 0);
    expect(readRotation(draft)).toMatchObject({ holderSetId: SET, version: 2, threshold: 2, chainId: 'local:test' });
    expect(draft.signatures.map(({ member }) => member)).toEqual([0, 2]);
    expect(await client().holderSets.rotate(draft)).toMatchObject({ version: 2, threshold: 2 });
    expect(await client().holderSets.rotate(draft)).toMatchObject({ version: 2 });
    expect(chain.executed).toHaveLength(1);
    expect((await client().holderSets.versions(SET)).map(({ version }) => version)).toEqual([1, 2]);
  });

  it('takes new members from what they show of themselves', async () => {
    const holder = await FakeHolder.create('new', 'local:test');
    expect(await client([holder]).holderSets.membersAt([`${holder.url}/`])).toEqual([holder.member]);
  });

  it('is refused for signatures that are too few, damaged, of others or of who was retired', async () => {
    const { holderSets } = client();
    await expect(holderSets.rotate(await signedBy(1))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'signatures' },
    });
    const draft = await signedBy(0, 1);
    const [first, second] = draft.signatures;
    const damaged = fromBase64(second!.signature);
    damaged[5] = damaged[5]! ^ 1;
    const bad: readonly [RotationDraft['signatures'], string][] = [
      [[first!, { ...second!, signature: toBase64(damaged) }], '1'],
      [[first!, { ...second!, member: 2 }], '2'],
      [[first!, { ...second!, member: 9 }], '9'],
      [[first!, first!], '0'],
    ];
    for (const [signatures, member] of bad) {
      const refused = { code: 'SIGNATURE_INVALID', details: { member } };
      await expect(holderSets.rotate({ ...draft, signatures })).rejects.toMatchObject(refused);
    }
    chain.put('holder-set', setOf({ tombstonedKeys: [setOf().members[1]!.signingPublicKey] }));
    await expect(holderSets.rotate(draft)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { member: '1' },
    });
    expect(chain.executed).toEqual([]);
  });

  it('is refused for a stranger, another chain, another version, another threshold and other bytes', async () => {
    const { holderSets } = client();
    const draft = await signedBy(0, 1);
    await expect(holderSets.signRotation(draft, random(32))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    for (const threshold of [0, 4]) {
      await expect(holderSets.draftRotation(SET, newMembers, threshold)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    const trailing = { ...draft, rotation: toBase64(Uint8Array.of(...fromBase64(draft.rotation), 0)) };
    for (const rotation of [trailing, { ...draft, rotation: 'AAAA' }]) {
      await expect(holderSets.rotate(rotation)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const info = await chain.info();
    chain.info = async () => ({ ...info, chainId: 'another' });
    await expect(holderSets.rotate(draft)).rejects.toMatchObject({ details: { field: 'chainId' } });
    chain.info = async () => info;
    chain.put('holder-set', setOf({ version: 5 }));
    await expect(holderSets.rotate(draft)).rejects.toMatchObject({ code: 'POLICY_OUTDATED' });
    expect(chain.executed).toEqual([]);
  });
});

describe('retiring a holder', () => {
  it('happens once, by its signing key, wherever it stands in the set', async () => {
    const key = setOf().members[2]!.signingPublicKey;
    for (let i = 0; i < 2; i++) expect((await client().holderSets.tombstone(SET, key)).tombstonedKeys).toEqual([key]);
    expect(chain.executed).toEqual([[{ kind: 'tombstoneHolder', holderSetId: SET, member: 2 }]]);
    const stranger = toBase64(new Uint8Array(32).fill(9));
    await expect(client().holderSets.tombstone(SET, stranger)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
