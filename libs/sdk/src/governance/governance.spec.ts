import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, refuse, type Address, type DaoId, type ProposalId } from '@usufruct/kernel';
import {
  isPassed,
  metadataDigest,
  statementDigest,
  type ChainAction,
  type ChainActionKind,
  type ChainEventData,
  type DaoView,
  type MemberView,
  type ProposalView,
} from '@usufruct/protocol';
import {
  aDao,
  aMember,
  aPolicy,
  aProposal,
  FakeChain,
  FakeGraphql,
  FakeStore,
  idOf,
  ManualClock,
  refusalMember,
  seededRandom,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import fc from 'fast-check';
import { connect } from '../client.js';
import { memoryJournal } from '../journal.js';
import { statusOf } from './proposals.js';

const ME = testWallet('member');
const OTHER = idOf<Address>('other');
const DAO = idOf<DaoId>('dao');
const OTHER_MEASUREMENT = 'cd'.repeat(48);

const member = (changes: Partial<MemberView> = {}) =>
  aMember({ address: ME.address, roles: 0, ordinal: 1, ...changes });
/** One of five votes is enough; voting, timelock and time to execute are a second each. */
const proposed = (changes: Partial<ProposalView> = {}): ProposalView =>
  aProposal({
    proposer: ME.address,
    memberCount: 5,
    totalVotes: 5n,
    votingEndsAtMs: asTimestampMs(TEST_NOW_MS + 1_000),
    executableFromMs: asTimestampMs(TEST_NOW_MS + 2_000),
    executableUntilMs: asTimestampMs(TEST_NOW_MS + 3_000),
    ...changes,
  });

/** A chain with one DAO, that does of each transaction what the test says. */
class World {
  readonly chain = new FakeChain();
  readonly clock = new ManualClock();
  readonly journal = memoryJournal();
  readonly api = new FakeGraphql();
  private readonly random = seededRandom('governance');
  readonly acts = new Map<ChainActionKind, (action: ChainAction) => void>();
  applications: { applicant: Address; statementHash: ReturnType<typeof metadataDigest> }[] = [];
  proposals: ProposalView[] = [];
  members = new Map<Address, MemberView>();
  /** Once, the answer to a transaction that did happen is lost. */
  losesAnswer = false;

  constructor() {
    const { api, chain } = this;
    api.on('DescribeProposal', () => ({ result: { __typename: 'Proposal', title: '' } }));
    api.on('DescribeApplication', () => ({ result: { __typename: 'Application', state: 'pending' } }));
    chain.put('dao', aDao({ members: [OTHER, ME.address] }));
    Object.assign(chain, {
      member: async (_dao: DaoId, address: Address) => this.members.get(address) ?? null,
      applicationsOf: async () => this.applications,
      proposal: async (id: ProposalId) => {
        const found = this.proposals.find((each) => each.id === id);
        if (found === undefined) throw refuse('NOT_FOUND');
        return found;
      },
      proposalsOf: async () => [...this.proposals],
    });
    const { send } = chain;
    chain.send = async (transaction) => {
      const before = chain.executed.length;
      const outcome = await send(transaction);
      if (chain.executed.length > before)
        for (const action of chain.executed.at(-1)!) this.acts.get(action.kind)?.(action);
      if (!this.losesAnswer) return outcome;
      this.losesAnswer = false;
      chain.isDown = true;
      throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
    };
  }

  on<K extends ChainActionKind>(kind: K, act: (action: Extract<ChainAction, { kind: K }>) => void): this {
    this.acts.set(kind, act as (action: ChainAction) => void);
    return this;
  }
  get sent(): ChainActionKind[] {
    return this.chain.executed.flat().map(({ kind }) => kind);
  }
  client() {
    const { api } = this;
    return connect({
      apiUrl: api.url,
      chain: this.chain,
      store: new FakeStore(),
      holders: [],
      signer: ME,
      journal: this.journal,
      fetch: api.fetch,
      clock: this.clock,
      random: this.random,
    });
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('membership', () => {
  it('is asked for once; who is a member, or has applied, has nothing to do', async () => {
    world.on('applyForMembership', ({ statementHash }) =>
      world.applications.push({ applicant: ME.address, statementHash }),
    );
    expect(await world.client().members.apply(DAO, 'I keep bees.')).toMatchObject({ state: 'applied' });
    expect(await world.client().members.apply(DAO, 'I keep bees.')).toMatchObject({ state: 'applied' });
    world.members.set(ME.address, member());
    expect(await world.client().members.apply(DAO, 'other words')).toMatchObject({ state: 'member' });
    expect(world.sent).toEqual(['applyForMembership']);
    expect(world.applications[0]?.statementHash).toBe(
      metadataDigest({ title: 'membership', description: 'I keep bees.' }),
    );
    const told = { input: { daoId: DAO, statement: 'I keep bees.' } };
    expect(world.api.callsOf('DescribeApplication').map(({ variables }) => variables)).toEqual([told, told]);
  });

  it('tells the statement again until the API knows this application, not only an earlier one', async () => {
    world.on('applyForMembership', ({ statementHash }) =>
      world.applications.push({ applicant: ME.address, statementHash }),
    );
    const answers = [refuse('NOT_FOUND'), refuse('INVALID_ARGUMENT')].map(refusalMember);
    world.api.on('DescribeApplication', () => ({
      result: answers.shift() ?? { __typename: 'Application', state: 'pending' },
    }));
    await world.client().members.apply(DAO, 'I keep bees.');
    expect(world.api.callsOf('DescribeApplication')).toHaveLength(3);
    expect(world.sent).toEqual(['applyForMembership']);
  });

  it.each([
    ['a blank', ' ', ' '],
    ['other words than it applied with', 'I keep bees.', 'other words'],
  ])('tells the API nothing where there are no words of this application: %s', async (_case, applied, statement) => {
    world.applications.push({ applicant: ME.address, statementHash: statementDigest(applied) });
    expect(await world.client().members.apply(DAO, statement)).toMatchObject({ state: 'applied' });
    expect(world.api.calls).toEqual([]);
  });

  it('applies with no statement that is too long to be kept', async () => {
    const refused = { code: 'INVALID_ARGUMENT', details: { field: 'statement' } };
    await expect(world.client().members.apply(DAO, 'x'.repeat(20_001))).rejects.toMatchObject(refused);
    expect(world.sent).toEqual([]);
  });

  it('shows of statements those that are the words of the chain', async () => {
    const applicants = [ME.address, OTHER, idOf<Address>('silent')];
    const applications = applicants.map((applicant) => ({
      daoId: DAO,
      applicant,
      appliedAtMs: TEST_NOW_MS,
      statementHash: statementDigest(`by ${applicant}`),
    }));
    const said = [`by ${ME.address}`, 'forged', null];
    world.api.on('Statements', () => ({
      dao: {
        list: {
          edges: applicants.map((applicant, i) => ({ node: { applicant, statement: said[i] } })),
          pageInfo: { hasNextPage: false, endCursor: null },
        },
      },
    }));
    const { members } = world.client();
    expect(await members.statements(DAO, applications)).toEqual(new Map([[ME.address, said[0]]]));
    world.api.on('Statements', () => ({ dao: null }));
    expect(await members.statements(DAO, applications)).toEqual(new Map());
  });

  it('is accepted once', async () => {
    world.on('decideApplication', ({ applicant }) => world.members.set(applicant, member({ address: applicant })));
    for (let i = 0; i < 2; i++)
      expect(await world.client().members.decide(DAO, OTHER, true)).toMatchObject({ state: 'member' });
    expect(world.sent).toEqual(['decideApplication']);
  });

  it('is declined once, also when the answer was lost; a second decision is for the chain to refuse', async () => {
    world.losesAnswer = true;
    await expect(world.client().members.decide(DAO, OTHER, false)).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    world.chain.isDown = false;
    expect(await world.client().members.decide(DAO, OTHER, false)).toEqual({ state: 'none' });
    expect(world.sent).toEqual(['decideApplication']);
    world.on('decideApplication', () => {
      throw refuse('NOT_FOUND');
    });
    await expect(world.client().members.decide(DAO, OTHER, false)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('lists members in order of joining', async () => {
    world.members.set(OTHER, member({ address: OTHER, ordinal: 0, roles: 7 })).set(ME.address, member());
    expect((await world.client().members.list(DAO)).map(({ ordinal }) => ordinal)).toEqual([0, 1]);
  });

  it('sets roles once, again when others changed them since, and for no stranger', async () => {
    world.members.set(ME.address, member());
    world.on('setRoles', (action) => world.members.set(action.member, member({ roles: action.roles })));
    const { members } = world.client();
    expect((await members.setRoles(DAO, ME.address, 4)).roles).toBe(4);
    expect((await members.setRoles(DAO, ME.address, 4)).roles).toBe(4);
    world.members.set(ME.address, member({ roles: 0 }));
    expect((await members.setRoles(DAO, ME.address, 4)).roles).toBe(4);
    expect(world.sent).toEqual(['setRoles', 'setRoles']);
  });

  it('settles what was sent without an answer before it looks: what others undid since is done again', async () => {
    world.members.set(ME.address, member());
    world.on('setRoles', (action) => world.members.set(action.member, member({ roles: action.roles })));
    world.losesAnswer = true;
    await expect(world.client().members.setRoles(DAO, ME.address, 4)).rejects.toMatchObject({
      code: 'CHAIN_UNAVAILABLE',
    });
    world.chain.isDown = false;
    world.members.set(ME.address, member({ roles: 0 }));
    expect((await world.client().members.setRoles(DAO, ME.address, 4)).roles).toBe(4);
    expect(world.sent).toEqual(['setRoles', 'setRoles']);
    expect(await world.journal.keys('roles/')).toEqual([]);
  });
});

describe('proposals', () => {
  const made = ({ salt: _salt, effect, ...action }: Extract<ChainAction, { kind: 'propose' }>, id: ProposalId) =>
    proposed({ ...action, id, effect: effect as ProposalView['effect'], number: world.proposals.length + 1 });
  const params = {
    key: 'k',
    daoId: DAO,
    effect: { kind: 'setPrice', pricePerQuestionUnits: asAmount(5n) },
    title: 'Dearer',
    description: 'Costs have risen.',
  } as const;

  it('are made once for a key, and commit to their words', async () => {
    let wanted: ProposalId | undefined;
    const { proposal } = world.chain;
    world.chain.proposal = async (id) => proposal((wanted = id));
    world.on('propose', (action) => world.proposals.push(made(action, wanted!)));
    const first = await world.client().proposals.propose(params);
    expect(await world.client().proposals.propose(params)).toEqual(first);
    expect(world.sent).toEqual(['propose']);
    expect(first).toMatchObject({ state: 'voting', proposal: { effect: params.effect, proposer: ME.address } });
    expect(first.proposal.descriptionHash).toBe(metadataDigest(params));
    const { title, description } = params;
    const told = { input: { proposalId: first.proposal.id, title, description } };
    expect(world.api.callsOf('DescribeProposal').map(({ variables }) => variables)).toEqual([told, told]);
    await world.client().proposals.propose({ ...params, key: 'another' });
    expect(world.sent).toEqual(['propose', 'propose']);
    expect((await world.client().proposals.list(DAO)).map((status) => status.proposal.number)).toEqual([2, 1]);
  });

  it('stand when the API could not be told their words; the same key tells them, and proposes nothing', async () => {
    world.on('propose', () => world.proposals.push(proposed()));
    const { proposal } = world.chain;
    world.chain.proposal = async (id) => (world.proposals.length > 0 ? proposed({ id }) : proposal(id));
    const answers = [refuse('UPSTREAM_UNAVAILABLE'), refuse('NOT_FOUND')].map(refusalMember);
    world.api.on('DescribeProposal', () => ({
      result: answers.shift() ?? { __typename: 'Proposal', title: 'Dearer' },
    }));
    await expect(world.client().proposals.propose(params)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await world.client().proposals.propose(params)).toMatchObject({ state: 'voting' });
    expect(world.api.callsOf('DescribeProposal')).toHaveLength(3);
    expect(world.sent).toEqual(['propose']);
  });

  it.each([
    ['title', { title: ' ' }],
    ['title', { title: 'x'.repeat(201) }],
    ['description', { description: 'x'.repeat(20_001) }],
  ])('are not made with a %s that nobody would keep', async (field, words) => {
    const refused = { code: 'INVALID_ARGUMENT', details: { field } };
    await expect(world.client().proposals.propose({ ...params, ...words })).rejects.toMatchObject(refused);
    expect(world.sent).toEqual([]);
  });

  it('are shown with words whose digest is on the chain, from every page, and with no others', async () => {
    const ids = ['told', 'forged', 'untold'].map((name) => idOf<ProposalId>(name));
    const words = { title: 'Dearer', description: 'Costs have risen.' };
    world.proposals = ids.map((id, i) => proposed({ id, number: i + 1, descriptionHash: metadataDigest(words) }));
    const said = [words, { ...words, title: 'Cheaper' }, { title: null, description: null }];
    const pages = ids.map((proposalId, i) => ({
      edges: [{ node: { proposalId, ...said[i] } }],
      pageInfo: { hasNextPage: i < 2, endCursor: String(i + 1) },
    }));
    world.api.on('ProposalWords', ({ after }) => ({ dao: { list: pages[Number(after ?? 0)] } }));
    const { proposals } = world.client();
    expect(await proposals.words(DAO, [])).toEqual(new Map());
    expect(await proposals.words(DAO, await proposals.list(DAO))).toEqual(new Map([[ids[0], words]]));
    expect(world.api.calls.map(({ authorization }) => authorization)).toEqual([null, null, null]);
  });

  it('are voted on once, also when the answer was lost; another vote is refused without asking the chain', async () => {
    world.proposals.push(proposed());
    const { id } = world.proposals[0]!;
    world.on('vote', () => (world.proposals[0] = proposed({ yesVotes: 1n })));
    world.losesAnswer = true;
    await expect(world.client().proposals.vote(id, 'yes')).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    world.chain.isDown = false;
    expect(await world.client().proposals.voted(id)).toBeNull();
    const status = await world.client().proposals.vote(id, 'yes');
    expect(status).toMatchObject({ tally: { castVotes: 1n, passed: true } });
    expect(await world.client().proposals.vote(id, 'yes')).toEqual(status);
    await expect(world.client().proposals.vote(id, 'no')).rejects.toMatchObject({ code: 'ALREADY_VOTED' });
    expect(await world.client().proposals.voted(id)).toBe('yes');
    expect(world.sent).toEqual(['vote']);
  });

  it('can be voted on otherwise when the chain refused the first vote', async () => {
    world.proposals.push(proposed());
    const { send } = world.chain;
    world.chain.send = async () => {
      throw refuse('NO_VOTE');
    };
    const { id } = world.proposals[0]!;
    await expect(world.client().proposals.vote(id, 'yes')).rejects.toMatchObject({ code: 'NO_VOTE' });
    world.chain.send = send;
    await world.client().proposals.vote(id, 'no');
    expect(world.chain.executed).toEqual([[{ kind: 'vote', proposalId: id, choice: 'no' }]]);
  });

  it('are executed once', async () => {
    world.proposals.push(proposed({ yesVotes: 3n }));
    world.on('executeProposal', () => (world.proposals[0] = proposed({ yesVotes: 3n, executedAtMs: TEST_NOW_MS })));
    const { id } = world.proposals[0]!;
    for (let i = 0; i < 2; i++) expect((await world.client().proposals.execute(id)).state).toBe('executed');
    expect(world.sent).toEqual(['executeProposal']);
  });

  it.each<[string, Partial<ProposalView>, object]>([
    // 20 % of 5 votes is 1; of 6 it is 1.2, so 2 are needed
    ['nobody', {}, { castVotes: 0n, quorumVotes: 1n, hasQuorum: false, approvalBps: null, passed: false }],
    ['one of five', { yesVotes: 1n }, { castVotes: 1n, hasQuorum: true, approvalBps: 10_000, passed: true }],
    ['one of six', { yesVotes: 1n, totalVotes: 6n }, { quorumVotes: 2n, hasQuorum: false, passed: false }],
    ['a tie', { yesVotes: 2n, noVotes: 2n }, { approvalBps: 5_000, hasQuorum: true, passed: false }],
    ['two against one', { yesVotes: 2n, noVotes: 1n }, { approvalBps: 6_666, passed: true }],
    ['only abstained', { abstainVotes: 5n }, { castVotes: 5n, hasQuorum: true, approvalBps: null, passed: false }],
  ])('are counted: %s', (_who, votes, tally) => {
    expect(statusOf(proposed(votes), TEST_NOW_MS).tally).toMatchObject(tally);
  });

  it('are passed exactly where quorum and approval are reached', () => {
    const count = fc.bigInt({ min: 0n, max: 30n });
    fc.assert(
      fc.property(count, count, count, count, fc.nat(10_000), (yesVotes, noVotes, abstainVotes, rest, quorumBps) => {
        const totalVotes = yesVotes + noVotes + abstainVotes + rest;
        const proposal = proposed({ yesVotes, noVotes, abstainVotes, totalVotes, quorumBps, approvalBps: 6_000 });
        const { hasQuorum, passed } = statusOf(proposal, TEST_NOW_MS).tally;
        expect(passed).toBe(isPassed(proposal));
        expect(passed).toBe(hasQuorum && yesVotes > 0n && 10n * yesVotes >= 6n * (yesVotes + noVotes));
      }),
    );
  });
});

describe('policy', () => {
  const put = (changes: Partial<DaoView>) => world.chain.put('dao', aDao(changes));

  it('has code approved and withdrawn by a role, each once, as a new appraisal policy', async () => {
    world.on('setPolicy', ({ policy, expectedVersion }) =>
      put({ policy: policy as DaoView['policy'], policyVersion: expectedVersion + 1 }),
    );
    const { daos } = world.client();
    const approve = { daoId: DAO, measurement: OTHER_MEASUREMENT, change: 'approve' } as const;
    for (let i = 0; i < 2; i++) {
      expect(await daos.changeMeasurement(approve, { by: 'policy' })).toMatchObject({
        dao: {
          policyVersion: 2,
          policy: { appraisal: { version: 2, measurements: [TEST_MEASUREMENT, OTHER_MEASUREMENT] } },
        },
      });
    }
    const withdraw = { ...approve, measurement: TEST_MEASUREMENT, change: 'withdraw' } as const;
    for (let i = 0; i < 2; i++) {
      expect(await daos.changeMeasurement(withdraw, { by: 'policy' })).toMatchObject({
        dao: { policyVersion: 3, policy: { appraisal: { version: 3, measurements: [OTHER_MEASUREMENT] } } },
      });
    }
    expect(world.sent).toEqual(['setPolicy', 'setPolicy']);
  });

  it('asks the members where that is wanted', async () => {
    const asked: ChainAction[] = [];
    world.on('propose', (action) => {
      asked.push(action);
      world.proposals.push(proposed());
    });
    const { proposal } = world.chain;
    world.chain.proposal = async (id) => {
      if (world.proposals.length > 0) return proposed({ id });
      return proposal(id);
    };
    const change = { daoId: DAO, measurement: OTHER_MEASUREMENT, change: 'withdraw' } as const;
    const words = { key: 'k', title: 'Old code', description: '' };
    expect(await world.client().daos.changeMeasurement(change, { by: 'proposal', ...words })).toMatchObject({
      by: 'proposal',
      status: { state: 'voting' },
    });
    expect(asked).toMatchObject([{ effect: { kind: 'withdrawMeasurement', measurement: OTHER_MEASUREMENT } }]);
  });

  it('sends another policy for the same version as another transaction, not the one that was lost', async () => {
    const { send } = world.chain;
    world.chain.send = async ({ digest }) => {
      throw refuse('SETTLEMENT_UNKNOWN', { digest });
    };
    const { daos } = world.client();
    await expect(daos.setPolicy(DAO, 1, aPolicy({ verifierThreshold: 1 }))).rejects.toMatchObject({
      code: 'SETTLEMENT_UNKNOWN',
    });
    world.chain.send = send;
    const wanted = aPolicy({ verifierThreshold: 3 });
    await daos.setPolicy(DAO, 1, wanted);
    expect(world.chain.executed).toEqual([[{ kind: 'setPolicy', daoId: DAO, expectedVersion: 1, policy: wanted }]]);
  });

  it('is paused once', async () => {
    world.on('pauseDao', () => put({ paused: true }));
    for (let i = 0; i < 2; i++) expect((await world.client().daos.pause(DAO)).paused).toBe(true);
    expect(world.sent).toEqual(['pauseDao']);
  });
});

describe('history', () => {
  const treasurySpent: ChainEventData = {
    type: 'TreasurySpent',
    daoId: DAO,
    to: OTHER,
    amountUnits: asAmount(7n),
  };
  const strange = idOf<DaoId>('strange');
  const events: readonly (readonly [ChainEventData, boolean])[] = [
    [{ type: 'DaoCreated', dao: aDao({ id: strange }) }, false],
    [{ type: 'DaoCreated', dao: aDao() }, true],
    [{ type: 'ProposalCreated', proposal: proposed() }, true],
    [{ type: 'ProposalCreated', proposal: proposed({ id: idOf('p2'), daoId: strange }) }, false],
    [{ type: 'VoteCast', proposalId: proposed().id, voter: OTHER, choice: 'yes', votes: 1n }, true],
    [{ type: 'VoteCast', proposalId: idOf('p2'), voter: OTHER, choice: 'yes', votes: 1n }, false],
    [treasurySpent, true],
    [{ ...treasurySpent, daoId: strange }, false],
    [{ type: 'DaoPaused', daoId: DAO }, true],
    [{ type: 'Minted', to: OTHER, amountUnits: asAmount(1n) }, false],
  ];
  const wholeStream = events.map(([data], i) => ({
    seq: i + 1,
    transaction: idOf(`t${i}`),
    sender: ME.address,
    atMs: TEST_NOW_MS,
    data,
  }));
  beforeEach(() => {
    // Pages of a thousand; a page that is not full is the last one.
    world.chain.events = async (after) => wholeStream.filter(({ seq }) => seq > after) as never;
  });

  it('is what is about the DAO and nothing else, in order', async () => {
    const found = await world.client().daos.history(DAO);
    expect(found.map(({ data }) => data)).toEqual(events.filter(([, isMine]) => isMine).map(([data]) => data));
  });

  it('shows every version of the policy, and what it changed', async () => {
    const dearer = { ...aPolicy(), pricePerQuestionUnits: asAmount(9n) };
    const set = (daoId: DaoId, version: number, policy: DaoView['policy']): ChainEventData => ({
      type: 'PolicySet',
      daoId,
      version,
      policy,
      policyDigest: aDao().policyDigest,
    });
    const stream = [events[0]![0], events[1]![0], set(strange, 2, aPolicy({ purposes: [] })), set(DAO, 2, dearer)];
    world.chain.events = async (after) =>
      stream.map((data, i) => ({ ...wholeStream[i]!, data })).filter(({ seq }) => seq > after) as never;
    expect(await world.client().daos.policyVersions(DAO)).toMatchObject([
      { version: 1, by: ME.address, changes: [] },
      { version: 2, changes: [{ field: 'pricePerQuestionUnits', before: 1_000_000n, after: 9n }] },
    ]);
  });

  it('shows what the treasury spent', async () => {
    expect(await world.client().daos.treasury(DAO)).toEqual({
      account: aDao().treasury,
      balanceUnits: 0n,
      spending: [{ to: OTHER, amountUnits: 7n, atMs: TEST_NOW_MS, transaction: idOf('t6') }],
    });
  });
});
