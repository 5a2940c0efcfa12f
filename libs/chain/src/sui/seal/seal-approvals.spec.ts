import { beforeAll, describe, expect, it } from '@jest/globals';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { toUsufructError, type Address, type ContributionId, type GrantId, type RunnerId } from '@usufruct/kernel';
import {
  buildPackage,
  idOf,
  readCompiled,
  sealFacts,
  sealJudge,
  settle,
  SUI_IDS,
  SuiWorld,
  type CompiledFunction,
  type CompiledPackage,
} from '@usufruct/testing';
import type { SealRequest } from './seal-approvals.js';

const TARGET = 'grant::seal_approve';
let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);

const worldOf = (pack = compiled): SuiWorld => {
  const world = new SuiWorld(pack);
  settle(world);
  return world;
};
const use = (name: string) => ({
  contributionId: idOf<ContributionId>(name),
  grantId: idOf<GrantId>(`grant of ${name}`),
});
const request = (change: Partial<SealRequest> = {}): SealRequest => ({
  jobId: SUI_IDS.job,
  runnerId: idOf<RunnerId>('runner'),
  sender: idOf<Address>('attested'),
  uses: [use('one'), use('two')],
  ...change,
});
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => toUsufructError(error).code,
  );

describe('a transaction for key servers', () => {
  it('asks the contract for each use, takes the objects for reading, and names no sender and no gas', async () => {
    const world = worldOf();
    const kind = await world.chain.seal().transactionOf(request());
    const data = TransactionDataBuilder.fromKindBytes(kind);
    expect(world.sui.check(data).map(({ target }) => target)).toEqual([TARGET, TARGET]);
    expect(data.inputs.filter(({ Object }) => Object?.SharedObject).length).toBe(4);
    expect(data.inputs.some(({ Object }) => Object?.SharedObject?.mutable)).toBe(false);
    expect(data.sender ?? null).toBeNull();
  });

  it.each<[string, Partial<SealRequest>, string]>([
    ['of nothing', { uses: [] }, 'INVALID_ARGUMENT'],
    ['of more than the limit', { uses: Array.from({ length: 65 }, (_, i) => use(`${i}`)) }, 'INVALID_ARGUMENT'],
    ['of an unknown job', { jobId: idOf('no job') }, 'NOT_FOUND'],
  ])('is refused %s', async (_name, change, code) => {
    expect(await codeOf(worldOf().chain.seal().transactionOf(request(change)))).toBe(code);
  });

  type Change = (parameters: readonly string[]) => string[];
  it.each<[string, Change]>([
    ['two objects change places', ([id, dao, dataset, ...rest]) => [id!, dataset!, dao!, ...rest]],
    ['the identity is no list of bytes', ([, ...rest]) => ['address', ...rest]],
    ['an argument is added', (parameters) => ['u64', ...parameters]],
    ['an object is written', (parameters) => parameters.map((type) => type.replace('&dataset', '&mut dataset'))],
  ])('is not one of a contract in which %s', async (_name, change) => {
    const before = compiled.functions.get(TARGET) as CompiledFunction;
    const functions = new Map(compiled.functions).set(TARGET, { ...before, parameters: change(before.parameters) });
    const data = TransactionDataBuilder.fromKindBytes(await worldOf().chain.seal().transactionOf(request()));
    expect(() => worldOf({ ...compiled, functions }).sui.check(data)).toThrow(TARGET);
  });

  it('is explained by our own node, in the words of the catalogue', async () => {
    const world = worldOf();
    const facts = sealFacts();
    world.sui.judge = sealJudge(facts);
    const seal = world.chain.seal();
    expect(await seal.refusalOf(request())).toMatchObject({ code: 'RUNNER_NOT_REGISTERED' });
    facts.runners.set(idOf<RunnerId>('runner'), idOf<Address>('attested'));
    const { contributionId, grantId } = use('one');
    facts.grants.set(grantId, { contributionId, isRevoked: false });
    expect(await seal.refusalOf(request({ uses: [use('one')] }))).toBeNull();
    expect(await seal.refusalOf(request())).toMatchObject({ code: 'GRANT_REQUIRED' });
  });
});
