import { beforeAll, describe, expect, it } from '@jest/globals';
import { asAmount, toUsufructError, type ErrorCode } from '@usufruct/kernel';
import type { ChainAction, ProposalEffect, ProposalEffectKind } from '@usufruct/protocol';
import {
  buildPackage,
  idOf,
  proposes,
  readCompiled,
  settle,
  SUI_ACTIONS,
  SUI_EFFECTS,
  SUI_IDS,
  SuiWorld,
  testWallet,
  type CheckedCall,
  type CompiledFunction,
  type CompiledPackage,
} from '@usufruct/testing';

let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);

function worldOf(pack: CompiledPackage): SuiWorld {
  const world = new SuiWorld(pack);
  world.wallet('founder', 10n ** 9n);
  settle(world);
  return world;
}
/** The calls of our contracts that the actions become, checked against the compiled package. */
async function callsOf(actions: readonly ChainAction[], pack = compiled): Promise<string[]> {
  const world = worldOf(pack);
  let calls: readonly CheckedCall[] = [];
  world.sui.refusal = (checked) => {
    calls = checked;
    return null;
  };
  await world.chain.prepare(actions, testWallet('founder'));
  return calls.map(({ target }) => target);
}
type Sent = keyof typeof SUI_ACTIONS;
const one = (kind: Sent): ChainAction[] => [SUI_ACTIONS[kind]];

describe('actions as programmable transactions', () => {
  const policy = ['policy::revenue_split', 'policy::appraisal', 'policy::new'];
  const rows: Record<Sent, string[]> = {
    transfer: [],
    createHolderSet: ['holder_set::create'],
    createDao: [...policy, 'governance::new', 'payout_rules::new', 'data_dao::create'],
    setPolicy: [...policy, 'data_dao::set_policy'],
    createDataset: ['answer_rules::new', 'dataset::create'],
    setAnswerRules: ['answer_rules::new', 'dataset::set_answer_rules'],
    registerContribution: ['blob_reference::new', 'contribution::register'],
    decideContribution: ['contribution::decide'],
    giveGrant: ['grant_terms::new', 'grant::give'],
    revokeGrant: ['grant::revoke'],
    registerRunner: ['data_dao::register_runner'],
    fundJob: ['job::fund'],
    settleReceipt: ['usage_receipt::settle'],
    closeJob: ['job::close'],
    expireJob: ['job::expire'],
    anchorTreeHead: ['holder_set::anchor_tree_head'],
    applyForMembership: ['data_dao::apply'],
    decideApplication: ['data_dao::decide_application'],
    setRoles: ['data_dao::set_roles'],
    pauseDao: ['data_dao::pause'],
    propose: ['effect::unpause', 'proposal::propose'],
    vote: ['proposal::vote'],
    executeProposal: ['proposal::execute'],
    settlePrivately: ['usage_receipt::settle_privately'],
    proposeEpoch: ['epoch::propose'],
    objectToEpoch: ['epoch::object'],
    proveEquivocation: ['epoch::prove_equivocation'],
    claimPayout: ['epoch::claim'],
    sweepEpoch: ['epoch::sweep'],
    tombstoneContribution: ['contribution::tombstone'],
    renewLease: ['contribution::renew_lease'],
    buyLicence: ['licence::buy'],
    rotateHolderSet: ['holder_set::rotate'],
    tombstoneHolder: ['holder_set::tombstone_member'],
  };
  it.each(Object.entries(rows) as [Sent, string[]][])('%s becomes %j', async (kind, calls) => {
    expect(await callsOf(one(kind))).toEqual(calls);
  });
  it.each(['tombstoneDataset', 'offerLicence', 'withdrawLicenceOffer'] as const)(
    'executes %s on its dataset, and a change of the holder set with the next one',
    async (kind) => {
      const executed = async (effect: ProposalEffect): Promise<string[]> => {
        const world = worldOf(compiled);
        proposes(world, effect);
        await world.chain.execute([SUI_ACTIONS.executeProposal], testWallet('founder'));
        return world.sui.executed.flatMap(({ calls }) => calls.map(({ target }) => target));
      };
      expect(await executed(SUI_EFFECTS[kind])).toEqual(['proposal::execute_on_dataset']);
      expect(await executed(SUI_EFFECTS.setVerifiers)).toEqual(['proposal::execute']);
    },
  );

  it.each(Object.keys(SUI_EFFECTS) as ProposalEffectKind[])('proposes %s', async (kind) => {
    const action = { ...SUI_ACTIONS.propose, effect: SUI_EFFECTS[kind] };
    expect((await callsOf([action])).at(-1)).toBe('proposal::propose');
  });

  it('makes a contribution and its grant in one transaction', async () => {
    const { deriveId } = await import('@usufruct/protocol');
    const register = SUI_ACTIONS.registerContribution;
    const contributionId = deriveId<typeof SUI_IDS.contribution>(
      'contribution',
      SUI_IDS.dataset,
      testWallet('founder').address,
      register.salt,
    );
    const calls = await callsOf([register, { ...SUI_ACTIONS.giveGrant, contributionId }]);
    expect(calls).toEqual(['blob_reference::new', 'contribution::register', 'grant_terms::new', 'grant::give']);
  });

  it('joins a list that is longer than one plain value may be', async () => {
    const register = SUI_ACTIONS.registerContribution;
    const parts = Array.from({ length: 1_024 }, () => register.parts[0]!);
    expect(await callsOf([{ ...register, parts }])).toEqual(['blob_reference::new', 'contribution::register']);
  });

  it.each<[string, ChainAction[], ErrorCode]>([
    ['a faucet', [{ kind: 'mint', to: idOf('friend'), amountUnits: asAmount(1n) }], 'FORBIDDEN'],
    ['nothing', [], 'INVALID_ARGUMENT'],
    ['more than the limit', Array.from({ length: 65 }, () => SUI_ACTIONS.closeJob), 'INVALID_ARGUMENT'],
    ['an unknown DAO', [{ ...SUI_ACTIONS.setRoles, daoId: idOf('nowhere') }], 'NOT_FOUND'],
    ['bytes that are no receipt', [{ ...SUI_ACTIONS.settleReceipt, receipt: new Uint8Array(3) }], 'INVALID_ARGUMENT'],
    ['a transfer of nothing', [{ ...SUI_ACTIONS.transfer, amountUnits: asAmount(0n) }], 'INVALID_ARGUMENT'],
    [
      'more money than there is',
      [{ ...SUI_ACTIONS.transfer, amountUnits: asAmount(10n ** 9n + 1n) }],
      'INSUFFICIENT_BALANCE',
    ],
  ])('refuses %s', async (_name, actions, code) => {
    const refusal = await callsOf(actions).then(
      () => 'ok',
      (error: unknown) => toUsufructError(error).code,
    );
    expect(refusal).toBe(code);
  });
});

describe('a contract that changes under the adapter', () => {
  type Change = (parameters: readonly string[]) => string[];
  const changed = (target: string, change: Change): CompiledPackage => {
    const before = compiled.functions.get(target) as CompiledFunction;
    const functions = new Map(compiled.functions).set(target, { ...before, parameters: change(before.parameters) });
    return { ...compiled, functions };
  };
  const reordered: Change = ([first, second, ...rest]) => [second!, first!, ...rest];
  const failure = (kind: Sent, pack: CompiledPackage) =>
    callsOf(one(kind), pack).then(
      () => 'nothing',
      (error: unknown) => String(toUsufructError(error).cause),
    );

  it('is noticed where two objects change places', async () => {
    expect(
      await failure(
        'closeJob',
        changed('job::close', (parameters) => ['u64', ...parameters]),
      ),
    ).toMatch('takes 2 arguments, not 1');
    expect(await failure('decideContribution', changed('contribution::decide', reordered))).toMatch(
      'argument 0: expected &mut data_dao::Dao',
    );
  });
  it('is noticed where two plain values of different types change places', async () => {
    const change: Change = ([set, member, head, ...rest]) => [set!, head!, member!, ...rest];
    expect(await failure('anchorTreeHead', changed('holder_set::anchor_tree_head', change))).toMatch(
      'argument 2: expected u8',
    );
  });
  it('is noticed where a number becomes wider', async () => {
    const wider: Change = (parameters) => parameters.map((type) => (type === 'u8' ? 'u16' : type));
    expect(await failure('setRoles', changed('data_dao::set_roles', wider))).toMatch('expected u16');
  });
  it('is noticed where another object is wanted', async () => {
    const other: Change = (parameters) => parameters.map((type) => type.replace('clock::Clock', 'random::Random'));
    expect(await failure('expireJob', changed('job::expire', other))).toMatch('expected &0x2::random::Random');
  });
  it('is noticed where a function is gone, or no longer public', async () => {
    const functions = new Map(compiled.functions);
    functions.delete('grant::revoke');
    expect(await failure('revokeGrant', { ...compiled, functions })).toMatch('there is no grant::revoke');
    functions.set('grant::revoke', { ...compiled.functions.get('grant::revoke')!, visibility: 'Friend' });
    expect(await failure('revokeGrant', { ...compiled, functions })).toMatch('grant::revoke is not public');
  });
  it('is noticed where a type parameter is added', async () => {
    const before = compiled.functions.get('grant::revoke')!;
    const functions = new Map(compiled.functions).set('grant::revoke', { ...before, typeParameters: 1 });
    expect(await failure('revokeGrant', { ...compiled, functions })).toMatch('takes 1 type arguments');
  });
});
