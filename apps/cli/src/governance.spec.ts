import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChainAction } from '@usufruct/protocol';
import { aDao, aDataset, aHolderSet, aMember, aProposal, idOf, testChainInfo } from '@usufruct/testing';
import { percentOf, splitOf } from './arguments.js';
import { CliWorld } from './testing/cli-world.js';

const DAO = aDao().id;
const PROPOSAL = aProposal().id;
const VIEWS = {
  '/v1/info': testChainInfo(),
  [`/v1/daos/${DAO}`]: aDao(),
  [`/v1/datasets/${aDataset().id}`]: aDataset({
    answerRules: { maxQuoteChars: 300, minContributors: 0, maxReachBps: 0 },
  }),
  [`/v1/proposals/${PROPOSAL}`]: aProposal(),
  [`/v1/daos/${DAO}/proposals`]: [aProposal()],
  [`/v1/daos/${DAO}/members/${aDao().founder}`]: aMember({ address: aDao().founder }),
  [`/v1/daos/${DAO}/applications`]: [],
  [`/v1/holder-sets/${aDao().policy.holderSetId}`]: aHolderSet(),
  [`/v1/balances/${aDao().treasury}`]: { amountUnits: 3_500_000n },
};

let world: CliWorld;
let sent: ChainAction[];
beforeEach(async () => {
  world = await CliWorld.open(VIEWS);
  sent = world.chain.sent;
});
afterEach(() => world.close());

const run = (...args: readonly string[]) => world.run(args);
const json = (...args: readonly string[]) => world.json(args);

describe('what is shown of a DAO', () => {
  it('is for people in words, and whole with --json', async () => {
    const shown = await run('dao', 'show', DAO);
    expect(shown.code).toBe(0);
    for (const said of ['in the treasury: 3.5 USDC', 'a question costs 1 USDC', 'Each member has one vote.']) {
      expect(shown.out).toContain(said);
    }
    expect(await json('dao', 'show', DAO)).toMatchObject({
      ok: true,
      dao: { id: DAO },
      treasury: { balanceUnits: '3500000' },
    });
    expect((await run('dao', 'members', DAO)).out).toContain('administrator, policyMaker, steward');
    expect((await run('dao', 'proposals', DAO)).out).toContain('Set the price of a question to 2 USDC.');
    expect(await json('dao', 'proposal', PROPOSAL)).toMatchObject({
      state: expect.any(String),
      changes: [{ field: 'pricePerQuestionUnits', before: '1000000', after: '2000000' }],
    });
    expect((await run('dao', 'verifiers', DAO)).out).toContain('2 of 3 register a runner');
    // The key holders are away: nothing that they know is called nothing.
    const away = [1, 2, 3].map((holder) => `key holder ${holder}: UPSTREAM_UNAVAILABLE\n`);
    expect((await run('dao', 'anomalies', DAO)).out).toBe(away.join(''));
    for (const list of ['applications', 'signers']) expect((await run('dao', list, DAO)).out).toBe('none yet\n');
  });
});

describe('a policy', () => {
  const set = ['dao', 'policy', 'set', DAO, '--price', '2.5', '--threshold', '1'];
  const lines = ['Price of a question: 1 USDC → 2.5 USDC', 'Verifiers needed to register a runner: 2 → 1'];

  it('is changed only after the person was shown every change and said yes', async () => {
    const asked: string[] = [];
    const answer = (text: string) => async (question: string) => {
      asked.push(question);
      return text;
    };
    const declined = await world.run(set, answer('n'));
    expect(declined).toMatchObject({ code: 0, out: 'nothing was changed\n' });
    for (const line of lines) expect(declined.err).toContain(line);
    expect(sent).toEqual([]);
    expect((await world.run(set, answer('yes'))).code).toBe(3); // the chain refuses here
    expect(asked).toEqual(Array(2).fill('Make this version 2 of the policy? [y/N] '));
    expect(sent).toMatchObject([
      { kind: 'setPolicy', expectedVersion: 1, policy: { pricePerQuestionUnits: 2_500_000n, verifierThreshold: 1 } },
    ]);
  });

  it('needs --yes where nobody can be asked', async () => {
    expect(await json(...set)).toMatchObject({
      ok: false,
      error: { code: 'INVALID_ARGUMENT', details: { field: 'yes' } },
    });
    expect((await run(...set)).code).toBe(2);
    expect(sent).toEqual([]);
    await run(...set, '--yes');
    expect(sent).toHaveLength(1);
  });

  it('is another appraisal policy when its code or evidence changes, and not when the price does', async () => {
    await run('dao', 'policy', 'set', DAO, '--measurement', 'cd'.repeat(48), '--yes');
    await run('dao', 'policy', 'set', DAO, '--price', '3', '--yes');
    expect(sent).toMatchObject([
      { policy: { appraisal: { version: 2, measurements: ['cd'.repeat(48)] } } },
      { policy: { appraisal: { version: 1 } } },
    ]);
  });

  it('stays when nothing would change', async () => {
    expect(await json('dao', 'policy', 'set', DAO, '--price', '1.0')).toMatchObject({ changed: false, changes: [] });
    expect(sent).toEqual([]);
  });
});

describe('what answers may show of a dataset', () => {
  const rules = ['dataset', 'rules', aDataset().id];
  it('is shown in words, and changes nothing without options', async () => {
    expect((await run(...rules)).out).toBe('An answer quotes at most 300 characters of one contribution.\n');
    expect(sent).toEqual([]);
  });

  it('is not what is no share, and nothing is sent', async () => {
    expect((await run(...rules, '--max-reach', '100.01', '--json')).out).toContain('max-reach');
    expect(sent).toEqual([]);
  });
});

describe('proposals from the command line', () => {
  const member = idOf('somebody');
  const code = 'cd'.repeat(48);
  const { policy, governance, payoutRules } = aDao();
  it.each<[string[], object]>([
    [['price', DAO, '2.5'], { kind: 'setPrice', pricePerQuestionUnits: 2_500_000n }],
    [['purposes', DAO, 'DUO:0000042', 'dpv:AcademicResearch'], { purposes: ['DUO:0000042', 'dpv:AcademicResearch'] }],
    [
      ['split', DAO, '7000,2000,500,500'],
      { split: { contributorsBps: 7_000, treasuryBps: 2_000, runnerBps: 500, protocolBps: 500 } },
    ],
    [['approve-measurement', DAO, code], { kind: 'approveMeasurement', measurement: code }],
    [['withdraw-measurement', DAO, code], { kind: 'withdrawMeasurement', measurement: code }],
    [['verifiers', DAO, member, '2'], { kind: 'setVerifiers', holderSetId: member, verifierThreshold: 2 }],
    [
      ['terms', DAO, '--kind', 'rag', 'stats', '--max-session', '30m'],
      { kinds: ['rag', 'stats'], protections: policy.protections, maxJobTermMs: 1_800_000 },
    ],
    [
      ['data-rules', DAO, '--on-revocation', 'cancel', '--self-queries-pay'],
      { kind: 'setDataRules', onRevocation: 'cancel', blobs: policy.blobs, selfQueriesPay: true },
    ],
    [
      ['governance', DAO, '--quorum', '33.33', '--timelock', '36h', '--policy-by-vote-only'],
      { governance: { ...governance, quorumBps: 3_333, timelockMs: 129_600_000, policyByVoteOnly: true } },
    ],
    [['governance', DAO, '--no-policy-by-vote-only'], { governance: { ...governance, policyByVoteOnly: false } }],
    [
      ['payout-rules', DAO, '--payout-mode', 'epoch', '--claim-term', '30d'],
      { payoutRules: { ...payoutRules, mode: 'epoch', claimTermMs: 2_592_000_000 } },
    ],
    [['spend', DAO, member, '0.000001'], { kind: 'spendTreasury', to: member, amountUnits: 1n }],
    [['roles', DAO, member, 'steward,administrator'], { kind: 'setRoles', member, roles: 5 }],
    [['roles', DAO, member, 'none'], { kind: 'setRoles', roles: 0 }],
    [['unpause', DAO], { kind: 'unpause' }],
    [
      ['register-signer', DAO, 'fhe-host', member, idOf('key')],
      { kind: 'registerSigner', signerKind: 'fhe-host', payTo: member, publicKeys: [expect.any(Uint8Array)] },
    ],
    [['withdraw-signer', DAO, member], { kind: 'withdrawSigner', signerId: member }],
    [['tombstone-dataset', DAO, member], { kind: 'tombstoneDataset', datasetId: member }],
    [
      ['offer-licence', DAO, member, '100', '--purpose', 'DUO:0000042', '--kind', 'stats', '--term', '90d'],
      {
        terms: {
          datasetId: member,
          purpose: 'DUO:0000042',
          computation: 'stats',
          protection: 'tee',
          priceUnits: 100_000_000n,
          termMs: 7_776_000_000,
        },
      },
    ],
    [['withdraw-licence-offer', DAO, member], { kind: 'withdrawLicenceOffer', offerId: member }],
    [['write-off-receipts', DAO, '3', '5'], { kind: 'writeOffReceipts', fromReceipt: 3n, toReceipt: 5n }],
  ])('%j', async (args, effect) => {
    expect((await run('dao', 'propose', ...args)).code).toBe(3); // the chain refuses here
    expect(sent).toMatchObject([{ kind: 'propose', daoId: DAO, effect }]);
  });

  it.each([
    ['dao', 'propose', 'price', DAO, '-1'],
    ['dao', 'propose', 'price', DAO, '1.0000001'],
    ['dao', 'propose', 'price', DAO],
    ['dao', 'propose', 'split', DAO, '1,2,3'],
    ['dao', 'propose', 'governance', DAO, '--quorum', '100.01'],
    ['dao', 'propose', 'governance', DAO, '--voting', 'loudest'],
    ['dao', 'propose', 'governance', DAO, '--timelock', '1y'],
    ['dao', 'propose', 'roles', DAO, idOf('somebody'), 'king'],
    ['dao', 'propose', 'register-signer', DAO, 'tee', idOf('a'), idOf('b')],
    ['dao', 'propose', 'nonsense', DAO],
    ['dao', 'propose', 'unpause', 'x'],
    ['dao', 'vote', PROPOSAL, 'maybe'],
    ['dao', 'measurements', 'approve', DAO, 'AB'],
    ['holder-set', 'tombstone', aHolderSet().id, 'x'],
    ['contribution', 'renew', idOf('c'), '--end-epoch', 'soon'],
  ])('refuses with 2, and sends nothing: %s %s %s %s %s %s', async (...args) => {
    expect((await run('--json', ...args.filter((arg) => arg !== undefined))).code).toBe(2);
    expect(sent).toEqual([]);
  });
});

describe('what is typed', () => {
  it.each([
    ['0', 0],
    ['50.01', 5_001],
    ['100', 10_000],
    ['7.5', 750],
  ])('%s percent', (text, bps) => expect(percentOf(text, 'f')).toBe(bps));
  it.each(['', '-1', '101', '1.001', '1,5', 'x'])('refuses "%s" percent', (text) => {
    expect(() => percentOf(text, 'f')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
  it.each(['', '1,2,3', '1,2,3,4,5', '1,2,3,x'])('refuses "%s" as a split', (text) => {
    expect(() => splitOf(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
