import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, seal, sign } from '@usufruct/crypto';
import { fromBase64, toBase64 } from '@usufruct/kernel';
import {
  dealingDigest,
  SealedSubSharesBcs,
  ShareBcs,
  subSharesInfo,
  TAGS,
  zDealAnswer,
  type ReshareCertificate,
} from '@usufruct/protocol';
import { reshare, type ReshareContext } from '@usufruct/sdk';
import { RotationWorld, SET } from './rotation-world.js';

let world: RotationWorld;
afterEach(() => world.close());

describe('re-sharing to the next version of a holder set', () => {
  it('gives everybody of the new version a share, and leaves who was replaced with none', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.contribute(3);
    const [first] = world.dealt;
    expect(await world.opens(first!, [1, 3])).toBe(true);

    // Holder 4 takes the place of holder 3.
    await world.start(4);
    await world.rotate([1, 2, 4], 2);
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({
      version: 2,
      manifests: 3,
      done: 3,
      absent: [],
      waiting: [],
      faults: [],
      oldSharesLeft: 0,
    });
    for (const made of world.dealt) {
      expect(await world.opens(made, [1, 4])).toBe(true);
      expect(await world.opens(made, [4, 2])).toBe(true);
      expect(await world.opens(made, [4])).toBe(false);
      expect(await world.shareOf(3, made)).toBeNull();
    }
  });
});

/** Stops as a process that is killed does: nothing is sent any more. */
function stoppingAfter(context: ReshareContext, requests: number): ReshareContext {
  let left = requests;
  return {
    ...context,
    fetch: (...args) => (left-- > 0 ? context.fetch(...args) : Promise.reject(new Error('killed'))),
  };
}
/** Nothing of this kind gets through. */
const without = (context: ReshareContext, path: string): ReshareContext => ({
  ...context,
  fetch: (input, init) =>
    input.endsWith(path) && init?.method === 'POST' ? Promise.reject(new Error('lost')) : context.fetch(input, init),
});
/** What one holder answers to requests of this kind is changed on the way. */
const changing = (
  context: ReshareContext,
  url: string,
  change: (answer: unknown) => Promise<unknown>,
): ReshareContext => ({
  ...context,
  fetch: async (input, init) => {
    const response = await context.fetch(input, init);
    return input === url ? Response.json(await change(await response.json()), { status: response.status }) : response;
  },
});

describe('a carrier that is killed', () => {
  it('at any request loses nothing: the next one finishes', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(1);
    const made = world.dealt[0]!;
    let members = [1, 2, 3];
    // The last of them come after the end of a run.
    for (let requests = 0; requests <= 36; requests += 3) {
      members = members.includes(3) ? [1, 2, 4] : [1, 2, 3];
      await world.rotate(members, 2);
      await reshare(stoppingAfter(world.context(), requests), { holderSetId: SET }).catch(() => undefined);
      const report = await reshare(world.context(), { holderSetId: SET });
      expect(report).toMatchObject({ done: 1, waiting: [], faults: [], oldSharesLeft: 0 });
      for (const two of [
        [0, 1],
        [1, 2],
        [2, 0],
      ]) {
        expect(
          await world.opens(
            made,
            two.map((i) => members[i]!),
          ),
        ).toBe(true);
      }
    }
  });
});

describe('whoever does wrong is named', () => {
  beforeEach(async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(2);
    await world.rotate([1, 2, 4], 2);
  });
  const keyOf = (n: number): string => toBase64(world.holder(n).holder.keys.signing.publicKey);
  const allOpen = async (): Promise<boolean> => {
    const open = await Promise.all(world.dealt.map((made) => world.opens(made, [1, 4])));
    return open.every(Boolean);
  };

  it('a dealer of another value than its share; the others deal instead', async () => {
    const { shares, clock } = world.holder(1).holder;
    const stored = shares.find(world.dealt[1]!.digest)!;
    const wrong = ShareBcs.serialize({ index: 1, value: new Uint8Array(32).fill(3) }).toBytes();
    shares.replace({ ...stored, share: wrong }, clock.nowMs());
    const report = await reshare(world.context(), { holderSetId: SET });
    expect(report).toMatchObject({ done: 2, waiting: [] });
    expect(report.faults).toHaveLength(3);
    for (const fault of report.faults) {
      expect(fault).toMatchObject({
        dealer: keyOf(1),
        reason: 'CONSTANT_TERM',
        manifestDigest: world.dealt[1]!.digest,
      });
    }
    expect(await allOpen()).toBe(true);
  });

  it('a dealer that gives one receiver a wrong sub-share, by that receiver', async () => {
    const dealer = world.holder(1).holder;
    const receiver = world.holder(4).holder.keys;
    const report = await reshare(
      changing(world.context(), `${world.holder(1).url}/v1/resharings/dealings`, async (answer) => {
        const { dealing, sealed } = zDealAnswer.parse(answer);
        const about = { dealing: dealingDigest(fromBase64(dealing)), receiver: receiver.signing.publicKey };
        const { publicKey: sealedTo } = await world.holder(4).holder.subkeys.current();
        const bytes = await seal({
          recipientPublicKey: sealedTo,
          info: subSharesInfo(about),
          aad: new Uint8Array(),
          plaintext: new Uint8Array(64).fill(1),
        });
        const message = SealedSubSharesBcs.serialize({ ...about, sealedTo, sealed: digestOf(bytes) }).toBytes();
        const { secretKey } = dealer.keys.signing;
        const signature = toBase64(await sign({ secretKey, domainTag: TAGS.sealedSubShares, message }));
        const sent = { sealedTo: toBase64(sealedTo), sealed: toBase64(bytes), signature };
        const bad = { receiver: toBase64(receiver.signing.publicKey), ...sent };
        return { dealing, sealed: sealed.map((one) => (one.receiver === bad.receiver ? bad : one)) };
      }),
      { holderSetId: SET },
    );
    const fault = { dealer: keyOf(1), saidBy: 2, reason: 'SUB_SHARE', manifestDigest: expect.any(String) };
    expect(report).toMatchObject({ done: 2, faults: [fault] });
    expect(await allOpen()).toBe(true);
  });

  it('a carrier that swaps what a dealer signed gets nowhere', async () => {
    const context = changing(world.context(), `${world.holder(1).url}/v1/resharings/dealings`, async (answer) => {
      const { dealing, sealed } = zDealAnswer.parse(answer);
      return { dealing, sealed: sealed.map((one, i) => ({ ...one, sealed: sealed[(i + 1) % sealed.length]!.sealed })) };
    });
    const report = await reshare(context, { holderSetId: SET });
    expect(report.faults).toEqual([{ dealer: keyOf(1), saidBy: null, reason: 'SIGNATURE', manifestDigest: null }]);
    expect(await allOpen()).toBe(true);
  });

  it('a dealer that deals twice', async () => {
    await reshare(without(world.context(), '/certificates'), { holderSetId: SET });
    world.holder(1).holder.database.exec('DELETE FROM dealing_seeds');
    // Or nobody would have to deal again.
    world.holder(4).holder.database.exec('DELETE FROM sub_shares');
    const report = await reshare(world.context(), { holderSetId: SET });
    expect(new Set(report.faults.map(({ dealer, reason }) => `${dealer} ${reason}`))).toEqual(
      new Set([`${keyOf(1)} EQUIVOCATION`]),
    );
    expect(report).toMatchObject({ done: 2 });
    expect(await allOpen()).toBe(true);
  });

  it('nobody, where members are missing: everything waits and the old shares stay', async () => {
    await world.stop(4);
    const waiting = [{ reason: 'MEMBERS_MISSING', needed: 3, given: 2 }];
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 0, absent: [2], waiting });
    expect(await reshare(world.context(), { holderSetId: SET, leaveOutAbsent: true })).toMatchObject({ waiting });
    for (const made of world.dealt) expect(await world.opens(made, [1, 3])).toBe(true);
    await world.start(4);
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, oldSharesLeft: 0 });
  });
});

describe('a holder refuses', () => {
  it('to deal or to act for another version than the chain has, and without enough signatures', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(1);
    await world.rotate([1, 2, 4], 2);
    const ask = async (n: number, path: string, body: unknown): Promise<unknown> =>
      (await world.post<{ code: unknown }>(world.holder(n), `/v1/resharings/${path}`, body)).body.code;
    const deal = { holderSetId: SET, manifestDigests: [world.dealt[0]!.digest], receivers: [] };
    expect(await ask(1, 'dealings', { ...deal, toVersion: 3 })).toBe('POLICY_OUTDATED');
    expect(await ask(4, 'dealings', { ...deal, toVersion: 2 })).toBe('NOT_FOUND');
    let certificate: ReshareCertificate | undefined;
    const context = world.context();
    const seen: ReshareContext = {
      ...context,
      fetch: (input, init) => {
        if (!input.endsWith('/certificates') || init?.method !== 'POST') return context.fetch(input, init);
        certificate = JSON.parse(init.body as string) as ReshareCertificate;
        return Promise.reject(new Error('lost'));
      },
    };
    await reshare(seen, { holderSetId: SET });
    const { result, acks } = certificate!;
    expect(await ask(3, 'certificates', { result, acks: acks.slice(1) })).toBe('FORBIDDEN');
    expect(await ask(3, 'certificates', { result, acks: [acks[0], acks[0], acks[1]] })).toBe('INVALID_ARGUMENT');
    const swapped = acks.map(({ member }, i) => ({ member, signature: acks[(i + 1) % 3]!.signature }));
    expect(await ask(3, 'certificates', { result, acks: swapped })).toBe('SIGNATURE_INVALID');
    expect(await ask(3, 'certificates', { result: toBase64(new Uint8Array(3)), acks })).toBe('INVALID_ARGUMENT');
    expect(await world.shareOf(3, world.dealt[0]!)).not.toBeNull();
    await world.rotate([1, 2, 4], 2);
    expect(await ask(3, 'certificates', { result, acks })).toBe('POLICY_OUTDATED');
    expect(await world.opens(world.dealt[0]!, [1, 3])).toBe(true);
  });
});
