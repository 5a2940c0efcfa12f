import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateSigningKey, sign, type SigningKey } from '@usufruct/crypto';
import { fromBase64, toBase64, type Digest, type HolderSetId } from '@usufruct/kernel';
import {
  decodeReshareResult,
  encodeReshareResult,
  TAGS,
  type HolderSetView,
  type ReshareCertificate,
  type ReshareResult,
} from '@usufruct/protocol';
import { reshare, type ReshareContext } from '@usufruct/sdk';
import { aHolderSet, idOf, seededRandom } from '@usufruct/testing';
import { RotationWorld, SET } from './rotation-world.js';

let world: RotationWorld;
beforeEach(async () => {
  world = await RotationWorld.of([1, 2, 3], 2);
  await world.start(4);
  await world.contribute(2);
  await world.rotate([1, 2, 4], 2);
});
afterEach(() => world.close());

const signingOf = (n: number): SigningKey => world.holder(n).holder.keys.signing;
const rowsOf = (n: number, table: string): number => {
  const row = world.holder(n).holder.database.prepare(`SELECT count(*) AS n FROM ${table}`).get();
  return row?.['n'] as number;
};

/** Everybody has its sub-shares, and nobody saw the certificate. These do not deal. */
async function certificateHeldBack(notDealing: readonly number[] = []): Promise<ReshareCertificate> {
  let certificate: ReshareCertificate | undefined;
  const context = world.context();
  const lost = notDealing.map((n) => `${world.holder(n).url}/v1/resharings/dealings`);
  const holdingBack: ReshareContext = {
    ...context,
    fetch: (input, init) => {
      const isCertificate = input.endsWith('/certificates') && init?.method === 'POST';
      if (!isCertificate && !lost.includes(input)) return context.fetch(input, init);
      if (isCertificate) certificate = JSON.parse(init.body as string) as ReshareCertificate;
      return Promise.reject(new Error('lost'));
    },
  };
  await reshare(holdingBack, { holderSetId: SET });
  return certificate!;
}
const certificateOnItsWay = async (): Promise<ReshareResult> =>
  decodeReshareResult(fromBase64((await certificateHeldBack()).result))!;

async function certificateOf(result: ReshareResult, signers: readonly [number, SigningKey][]) {
  const message = encodeReshareResult(result);
  const acks = signers.map(async ([member, { secretKey }]) => {
    const signature = await sign({ secretKey, domainTag: TAGS.reshareResult, message });
    return { member, signature: toBase64(signature) };
  });
  return { result: toBase64(message), acks: await Promise.all(acks) };
}
const show = (n: number, certificate: ReshareCertificate) =>
  world.post(world.holder(n), '/v1/resharings/certificates', certificate);

describe('members of another holder set, which anybody can publish', () => {
  const OTHER = idOf<HolderSetId>('holder-set-of-a-stranger');
  const stranger = generateSigningKey(seededRandom('stranger'));

  /** One signature is enough in it. */
  async function publish(members: HolderSetView['members']): Promise<void> {
    const own = { ...aHolderSet().members[0]!, signingPublicKey: toBase64(stranger.publicKey) };
    world.chain.put('holder-set', aHolderSet({ id: OTHER, members: [...members, own], threshold: 1, version: 2 }));
  }

  it('take no share away and make none, whether the holder has a seat there or not', async () => {
    const result = { ...(await certificateOnItsWay()), holderSetId: OTHER };
    const real = await world.chain.holderSet(SET);
    for (const [place, n] of [1, 2, 4].entries()) {
      for (const members of [[real.members[place]!], [real.members[(place + 1) % 3]!, real.members[place]!], []]) {
        await publish(members);
        const { status, body } = await show(n, await certificateOf(result, [[members.length, stranger]]));
        expect({ status, body }).toEqual({
          status: 200,
          body: { active: 0, destroyed: 0, missing: n === 4 && members.length > 0 ? 2 : 0 },
        });
      }
    }
    for (const made of world.dealt) {
      expect(await world.opens(made, [1, 3])).toBe(true);
      expect(await world.opens(made, [2, 3])).toBe(true);
      expect(await world.shareOf(4, made)).toBeNull();
    }
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, waiting: [], faults: [] });
    for (const made of world.dealt) expect(await world.opens(made, [1, 4])).toBe(true);
  });
});

describe('what a holder keeps of a re-sharing', () => {
  it('nothing of it where the holder was replaced before its share was made', async () => {
    await certificateOnItsWay();
    expect(rowsOf(4, 'sub_shares')).toBe(4);
    await world.rotate([1, 2, 3], 2);
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, oldSharesLeft: 0 });
    expect(rowsOf(4, 'sub_shares')).toBe(0);
  });

  it('no seed of a dealing whose share is gone, whatever else was deposited and never registered', async () => {
    const { shares, clock } = world.holder(1).holder;
    const stored = shares.find(world.dealt[0]!.digest)!;
    const stray = { ...stored, share: shares.decrypt(stored), manifestDigest: idOf<Digest>('never registered') };
    await certificateOnItsWay();
    // Dealers 1 and 2 dealt both, and will deal the same again.
    expect([1, 2, 3].map((n) => rowsOf(n, 'dealing_seeds'))).toEqual([2, 2, 0]);
    shares.insert(stray, clock.nowMs());
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, faults: [] });
    expect([1, 2, 3].map((n) => rowsOf(n, 'dealing_seeds'))).toEqual([0, 0, 0]);
  });

  it('no certificate that changes nothing, however many batches somebody has signed', async () => {
    await reshare(world.context(), { holderSetId: SET });
    const { certificates } = world.holder(1).holder;
    const known = certificates.list(SET, undefined);
    expect(known).toHaveLength(1);
    const result = decodeReshareResult(fromBase64(known[0]!.result))!;
    const other = { ...result, entries: result.entries.toReversed() };
    const signers: [number, SigningKey][] = [1, 2, 4].map((n, member) => [member, signingOf(n)]);
    const { body } = await show(1, await certificateOf(other, signers));
    expect(body).toEqual({ active: 2, destroyed: 0, missing: 0 });
    expect(certificates.list(SET, undefined)).toEqual(known);
  });
});

describe('re-sharings that nobody signs', () => {
  it('are refused where too many are under way, and nothing else is', async () => {
    const { holderSet } = world.chain;
    const held = Promise.withResolvers<void>();
    world.chain.holderSet = async (id) => {
      await held.promise;
      return holderSet.call(world.chain, id);
    };
    const deal = { holderSetId: SET, toVersion: 2, manifestDigests: [world.dealt[0]!.digest], receivers: [] };
    const asked = Array.from({ length: 12 }, () => world.post(world.holder(1), '/v1/resharings/dealings', deal));
    const refused: unknown[] = [];
    for (const one of asked) void one.then(({ body }) => refused.push(body['code']));
    while (refused.length < 4) await setTimeout(5);
    const challenge = { for: 'release', jobId: idOf('job') };
    expect((await world.post(world.holder(1), '/v1/challenges', challenge)).status).toBe(200);
    expect(refused).toEqual(Array.from({ length: 4 }, () => 'RATE_LIMITED'));
    held.resolve();
    const codes = (await Promise.all(asked)).map(({ status }) => status);
    expect(codes.filter((status) => status === 200)).toHaveLength(8);
    expect((await world.post(world.holder(1), '/v1/resharings/dealings', deal)).status).toBe(200);
  });
});

describe('a carrier that shows different holders different certificates', () => {
  it('closes everything, loses nothing, and whoever carries them on opens it again', async () => {
    const [one, other] = [await certificateHeldBack(), await certificateHeldBack([1])];
    expect(one.result).not.toBe(other.result);
    await show(1, one);
    await show(2, other);
    const made = world.dealt[0]!;
    for (const two of [
      [1, 2],
      [1, 3],
      [2, 3],
    ]) {
      expect(await world.opens(made, two)).toBe(false);
    }
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, waiting: [], faults: [] });
    for (const each of world.dealt) expect(await world.opens(each, [1, 4])).toBe(true);
  });
});

it('many that ask whether a holder is ready make it look at the chain a few times', async () => {
  const asked = Array.from({ length: 40 }, () =>
    request(`${world.holder(1).url}/readyz`, { headers: { connection: 'close' } }),
  );
  const allSent = Promise.all(asked.map((one) => once(one, 'finish')));
  const answers = asked.map((one) => once(one, 'response') as Promise<[IncomingMessage]>);
  const events = world.chain.events.bind(world.chain);
  let looks = 0;
  world.chain.events = async (...args) => {
    looks += 1;
    // However slow the machine is, they come while it looks.
    await allSent;
    await setTimeout(50);
    return events(...args);
  };
  for (const one of asked) one.end();
  for (const [answer] of await Promise.all(answers)) expect(answer.resume().statusCode).toBe(200);
  expect(looks).toBeLessThan(20);
});
