import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toBase64 } from '@usufruct/kernel';
import { ApiWorld, ScriptedRunner, type RunnerReply } from '../../../../../test/support/api-world.js';

const ERASE = `mutation ($contributionId: Hex32!) { eraseAtRunners(contributionId: $contributionId) {
  ... on RunnerErasures { contributionId complete runners { statement signature } }
  ... on Refusal { __typename code details { key value } } } }`;
const SIGNED = { statement: toBase64(new Uint8Array(40).fill(1)), signature: toBase64(new Uint8Array(64).fill(2)) };

describe('an owner asks the runners to drop what was retired', () => {
  let world: ApiWorld;
  let runners: ScriptedRunner[];
  let replies: (RunnerReply | undefined)[];

  beforeAll(async () => {
    runners = [await ScriptedRunner.start(), await ScriptedRunner.start()];
    runners.forEach((runner, i) => (runner.reply = () => replies[i]));
    world = await ApiWorld.start({ RUNNER_URLS: runners.map(({ url }) => url).join(',') });
    await world.dao.found();
    await world.dao.fill();
    const [, owner] = world.dao.contributors;
    await world.dao.run(owner!, { kind: 'tombstoneContribution', contributionId: world.dao.contributionIds[1]! });
  });
  afterAll(async () => {
    await world.close();
    for (const runner of runners) await runner.close();
  });
  beforeEach(() => {
    replies = [{ body: SIGNED }, { body: SIGNED }];
    for (const runner of runners) runner.requests.length = 0;
  });
  const asked = () => runners.map(({ requests }) => requests.filter(({ path }) => path === '/v1/erasures').length);
  const erase = async (of: number, by: number) =>
    world.field(
      ERASE,
      { contributionId: world.dao.contributionIds[of] },
      await world.signIn(world.dao.contributors[by]!),
    );

  it("and gets each one's signed word as it is", async () => {
    const contributionId = world.dao.contributionIds[1]!;
    expect(await erase(1, 1)).toEqual({ contributionId, complete: true, runners: [SIGNED, SIGNED] });
    expect(runners[0]!.requests.at(-1)).toMatchObject({ method: 'POST', body: { contributionId } });
  });

  it('and sees that one did not answer, or not with what a runner says', async () => {
    replies = [undefined, { body: SIGNED }];
    expect(await erase(1, 1)).toMatchObject({ complete: false, runners: [SIGNED] });
    replies = [{ body: { statement: 'x' } }, { status: 403, body: { code: 'FORBIDDEN', details: {} } }];
    expect(await erase(1, 1)).toMatchObject({ complete: false, runners: [] });
  });

  it('and is refused for what is not retired, what is not hers, and without a sign-in', async () => {
    expect(await erase(0, 0)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await erase(1, 0)).toMatchObject({ code: 'FORBIDDEN' });
    const contributionId = world.dao.contributionIds[1];
    expect(await world.field(ERASE, { contributionId })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(asked()).toEqual([0, 0]);
  });
});
