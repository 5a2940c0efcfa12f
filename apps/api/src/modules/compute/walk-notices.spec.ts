import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toBase64 } from '@usufruct/kernel';
import { ApiWorld, ScriptedRunner, type RunnerReply } from '../../../../../test/support/api-world.js';

const WALKS = `query ($daoId: Hex32!) { walkNotices(daoId: $daoId) { complete notices { notice signature } } }`;
const signed = (byte: number) => ({
  notice: toBase64(new Uint8Array(40).fill(byte)),
  signature: toBase64(new Uint8Array(64).fill(byte)),
});

describe('what runners have signed about askers', () => {
  let world: ApiWorld;
  let runners: ScriptedRunner[];
  let replies: (RunnerReply | undefined)[];

  beforeAll(async () => {
    runners = [await ScriptedRunner.start(), await ScriptedRunner.start()];
    runners.forEach((runner, i) => (runner.reply = () => replies[i]));
    world = await ApiWorld.start({ RUNNER_URLS: runners.map(({ url }) => url).join(',') });
    await world.dao.found();
    await world.dao.fill();
    await world.settled();
  });
  afterAll(async () => {
    await world.close();
    for (const runner of runners) await runner.close();
  });
  beforeEach(() => {
    replies = [{ body: { notices: [signed(1)] } }, { body: { notices: [signed(2), signed(3)] } }];
    for (const runner of runners) runner.requests.length = 0;
  });
  const read = async (by?: Parameters<ApiWorld['signIn']>[0]) =>
    world.field(WALKS, { daoId: world.dao.daoId }, ...(by === undefined ? [] : [await world.signIn(by)]));

  it('goes to members and contributors of the DAO as it is', async () => {
    const all = { complete: true, notices: [signed(1), signed(2), signed(3)] };
    expect(await read(world.dao.founder)).toEqual(all);
    expect(await read(world.dao.contributors[0]!)).toEqual(all);
    expect(runners[0]!.requests[0]!.path).toBe(`/v1/walks?daoId=${world.dao.daoId}`);
  });

  it('says where a runner did not answer, or not with what a runner says', async () => {
    replies = [undefined, { body: { notices: [signed(2)] } }];
    expect(await read(world.dao.founder)).toEqual({ complete: false, notices: [signed(2)] });
    replies = [{ body: { notices: [{ notice: 'x', signature: '' }] } }, { body: {} }];
    expect(await read(world.dao.founder)).toEqual({ complete: false, notices: [] });
  });

  it('goes to nobody else', async () => {
    const codeFor = async (token?: string) => {
      const { errors } = await world.ask(WALKS, { daoId: world.dao.daoId }, token);
      return errors[0]?.extensions.code;
    };
    expect(await codeFor(await world.signIn(world.dao.stranger))).toBe('FORBIDDEN');
    // Nobody asked for what anybody can propose.
    await world.dao.run(world.dao.stranger, world.dao.contribution());
    await world.settled();
    expect(await codeFor(await world.signIn(world.dao.stranger))).toBe('FORBIDDEN');
    expect(await codeFor()).toBe('UNAUTHENTICATED');
    expect(runners.flatMap(({ requests }) => requests)).toEqual([]);
  });
});
