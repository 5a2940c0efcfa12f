import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WalletSigner } from '@usufruct/chain';
import { asAmount, toBase64, type ProposalId } from '@usufruct/kernel';
import { metadataDigest, signerIdOf, type ChainAction, type ProposalEffect } from '@usufruct/protocol';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import {
  carry,
  MINUTE_MS,
  propose as proposeTo,
  QUICK_GOVERNANCE,
  vote as cast,
} from '../../../../../test/support/votes.js';
import { MEASUREMENT, PRICE } from '../../../../local-chain/src/testing/dao-world.js';
import { hexOf, signingKeyOf } from '../../../../local-chain/src/testing/world.js';
import { PayoutService } from '../payout/index.js';

const words = { title: 'A lower price', description: 'So that small laboratories can ask. Ünïcode stays.' };

const PROPOSAL = `proposalId number proposer state summary title description voting quorumBps memberCount
  effect { __typename ... on SetPrice { pricePerQuestionUnits } ... on SpendTreasury { to amountUnits }
    ... on SetRoles { member roles } }
  tally { yesVotes noVotes abstainVotes castVotes totalVotes quorumVotes hasQuorum approvalBps passed }
  changes { __typename ... on PolicyValueChange { field before after } ... on PolicyListChange { listed: field added removed } }
  votes { edges { node { voter choice votes } } }`;

describe('what a DAO decides, as the API tells it', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    const created = { ...dao.dao(), governance: QUICK_GOVERNANCE } as ChainAction;
    await dao.run(dao.founder, dao.holderSet(), created);
    await dao.run(dao.founder, dao.dataset());
    await dao.fill();
    await dao.open();
    // 70 % of 1,000,000 by weights 3 and 1: ada earns 525,000 and ben 175,000; the treasury gets 200,000
    await dao.run(dao.runnerWallet, await dao.settlement(dao.uses(3n, 1n, null)));
    const statementHash = metadataDigest(words);
    await dao.run(dao.stranger, { kind: 'applyForMembership', daoId: dao.daoId, statementHash });
    const applicant = dao.stranger.address;
    await dao.run(dao.founder, { kind: 'decideApplication', daoId: dao.daoId, applicant, accept: true });
    await world.settled();
  });
  afterAll(() => world.close());

  const daoField = async (selection: string, wallet?: WalletSigner) =>
    world.field(
      `{ dao(daoId: "${world.dao.daoId}") { ${selection} } }`,
      {},
      wallet === undefined ? undefined : await world.signIn(wallet),
    );
  const nodes = (connection: { edges: { node: unknown }[] }) => connection.edges.map(({ node }) => node);
  /** With reasons that can be told here. */
  const propose = async (effect: ProposalEffect, salt: string): Promise<ProposalId> => {
    const id = await proposeTo(world.dao, { effect, salt, descriptionHash: metadataDigest(words) });
    await world.settled();
    return id;
  };
  const proposal = (id: ProposalId) => world.field(`{ proposal(proposalId: "${id}") { ${PROPOSAL} } }`);
  const vote = (wallet: WalletSigner, id: ProposalId, choice: 'yes' | 'no' | 'abstain') =>
    cast(world.dao, wallet, id, choice);
  const carried = async (effect: ProposalEffect, salt: string): Promise<ProposalId> => {
    const id = await carry(world.dao, effect, salt);
    await world.settled();
    return id;
  };
  const execute = async (proposalId: ProposalId) => {
    await world.dao.run(world.dao.stranger, { kind: 'executeProposal', proposalId });
    await world.settled();
  };

  it('tells a proposal in words and numbers, from its first vote to its execution', async () => {
    const { dao } = world;
    const id = await propose({ kind: 'setPrice', pricePerQuestionUnits: asAmount(PRICE / 2n) }, 'price');
    const fresh = await proposal(id);
    expect(fresh).toMatchObject({
      number: 1,
      proposer: dao.founder.address,
      state: 'voting',
      title: null,
      effect: { __typename: 'SetPrice', pricePerQuestionUnits: '500000' },
      summary: 'Set the price of a question to 500000 units.',
      memberCount: 5,
      // five members, a quorum of 20 %: one vote
      tally: { castVotes: '0', totalVotes: '5', quorumVotes: '1', hasQuorum: false, approvalBps: null, passed: false },
      changes: [
        { __typename: 'PolicyValueChange', field: 'pricePerQuestionUnits', before: '1000000', after: '500000' },
      ],
    });
    await vote(dao.contributors[0]!, id, 'yes');
    await vote(dao.contributors[1]!, id, 'no');
    await vote(dao.contributors[2]!, id, 'yes');
    await vote(dao.founder, id, 'abstain');
    await world.settled();
    const voted = await proposal(id);
    // 2 of 3 are 6,666 basis points
    expect(voted.tally).toMatchObject({
      yesVotes: '2',
      noVotes: '1',
      abstainVotes: '1',
      approvalBps: 6_666,
      passed: true,
    });
    expect(nodes(voted.votes)).toEqual([
      { voter: dao.contributors[0]!.address, choice: 'yes', votes: '1' },
      { voter: dao.contributors[1]!.address, choice: 'no', votes: '1' },
      { voter: dao.contributors[2]!.address, choice: 'yes', votes: '1' },
      { voter: dao.founder.address, choice: 'abstain', votes: '1' },
    ]);
    const votes = await world.field(`{ proposal(proposalId: "${id}") {
      ben: voteOf(voter: "${dao.contributors[1]!.address}") { choice } none: voteOf(voter: "${dao.requester.address}") { choice } } }`);
    expect(votes).toEqual({ ben: { choice: 'no' }, none: null });

    const states: string[] = [voted.state];
    for (const minutes of [10, 5]) {
      dao.clock.advance(minutes * MINUTE_MS);
      states.push((await proposal(id)).state);
    }
    expect(states).toEqual(['voting', 'timelocked', 'executable']);
    await execute(id);
    expect(await proposal(id)).toMatchObject({ state: 'executed', changes: [] });

    const history = nodes(
      (
        await daoField(
          'policyHistory { edges { node { version setBy policy { pricePerQuestionUnits } changes { ... on PolicyValueChange { field before after } } } } }',
        )
      ).policyHistory,
    );
    expect(history).toEqual([
      {
        version: 2,
        setBy: dao.stranger.address,
        policy: { pricePerQuestionUnits: '500000' },
        changes: [{ field: 'pricePerQuestionUnits', before: '1000000', after: '500000' }],
      },
      { version: 1, setBy: dao.founder.address, policy: { pricePerQuestionUnits: '1000000' }, changes: [] },
    ]);
  });

  it('finds proposals by their state at its clock, as the protocol says it', async () => {
    const { dao } = world;
    const rejected = await propose({ kind: 'unpause' }, 'nobody votes');
    dao.clock.advance(10 * MINUTE_MS);
    const lapsed = await carried({ kind: 'setRoles', member: dao.stranger.address, roles: 0 }, 'nobody executes');
    dao.clock.advance(10 * MINUTE_MS);
    const executable = await propose({ kind: 'setPurposes', purposes: ['DUO:0000042'] }, 'executable');
    await vote(dao.founder, executable, 'yes');
    dao.clock.advance(5 * MINUTE_MS);
    const timelocked = await propose({ kind: 'unpause' }, 'timelocked');
    await vote(dao.founder, timelocked, 'yes');
    dao.clock.advance(9 * MINUTE_MS);
    const voting = await propose({ kind: 'unpause' }, 'voting');
    dao.clock.advance(MINUTE_MS);
    await world.settled();
    // 15, 10 and 1 minutes old
    const found: Record<string, string[]> = {};
    for (const state of ['voting', 'rejected', 'timelocked', 'executable', 'executed', 'lapsed']) {
      const { proposals } = await daoField(`proposals(state: ${state}) { edges { node { proposalId state } } }`);
      found[state] = proposals.edges.map(({ node }: { node: { proposalId: string } }) => node.proposalId);
      for (const { node } of proposals.edges) expect(node.state).toBe(state);
    }
    const alone = { voting: [voting], rejected: [rejected], timelocked: [timelocked], executable: [executable] };
    expect(found).toMatchObject({ ...alone, lapsed: [lapsed] });
    expect(found['executed']).toHaveLength(1);
    const all = await daoField(
      'proposals(first: 2) { edges { node { proposalId } } pageInfo { hasNextPage endCursor } }',
    );
    expect(nodes(all.proposals)).toEqual([{ proposalId: voting }, { proposalId: timelocked }]);
    const rest = await daoField(
      `proposals(after: "${all.proposals.pageInfo.endCursor}") { edges { node { number } } }`,
    );
    expect(nodes(rest.proposals)).toEqual([{ number: 4 }, { number: 3 }, { number: 2 }, { number: 1 }]);
  });

  it('keeps a proposal’s reasons if they are the ones that it was made with, from the proposer only', async () => {
    const id = await propose({ kind: 'unpause' }, 'words');
    const mutation = `mutation ($input: DescribeProposalInput!) { describeProposal(input: $input) {
      ... on Proposal { title description } ... on Refusal { code } } }`;
    const input = { proposalId: id, ...words };
    const proposer = await world.signIn(world.dao.founder);
    const other = await world.signIn(world.dao.contributors[0]!);
    expect(await world.field(mutation, { input }, other)).toEqual({ code: 'FORBIDDEN' });
    const changed = { ...input, description: 'Because.' };
    expect(await world.field(mutation, { input: changed }, proposer)).toEqual({ code: 'INVALID_ARGUMENT' });
    const unknown = { ...input, proposalId: hexOf('no proposal') };
    expect(await world.field(mutation, { input: unknown }, proposer)).toEqual({ code: 'NOT_FOUND' });
    expect(await world.field(mutation, { input }, proposer)).toEqual(words);
    expect(await proposal(id)).toMatchObject(words);
  });

  it('shows what the treasury holds and how it moved, and the books are the chain’s', async () => {
    const { dao } = world;
    const id = await carried(
      { kind: 'spendTreasury', to: dao.stranger.address, amountUnits: asAmount(50_000n) },
      'spend',
    );
    expect((await proposal(id)).summary).toBe(`Pay 50000 units from the treasury to ${dao.stranger.address}.`);
    await execute(id);
    const treasury = await daoField(
      'treasury treasuryUnits treasuryMovements { edges { node { direction amountUnits reason counterAccount } } }',
      dao.requester,
    );
    expect(treasury.treasuryUnits).toBe('150000');
    expect(await world.chain.balanceOf(treasury.treasury)).toBe(150_000n);
    expect(nodes(treasury.treasuryMovements)).toEqual([
      {
        direction: 'debit',
        amountUnits: '50000',
        reason: 'TreasurySpent',
        counterAccount: `wallet:${dao.stranger.address}`,
      },
      {
        direction: 'credit',
        amountUnits: '200000',
        reason: 'ReceiptSettled',
        counterAccount: `escrow:${dao.jobId}`,
      },
    ]);
    const nobody = await world.ask(`{ dao(daoId: "${dao.daoId}") { treasuryMovements { edges { cursor } } } }`);
    expect(nobody.errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await world.app.get(PayoutService, { strict: false }).reconcileAll()).toMatchObject({ agrees: true });
  });

  it('tells when a measurement was approved and withdrawn', async () => {
    const other = 'cd'.repeat(48);
    await execute(await carried({ kind: 'approveMeasurement', measurement: other }, 'approve'));
    await execute(await carried({ kind: 'withdrawMeasurement', measurement: MEASUREMENT }, 'withdraw'));
    const selection = 'policyVersion measurements { measurement approved approvedVersion withdrawnVersion }';
    const { policyVersion, measurements } = await daoField(selection);
    expect(policyVersion).toBe(4);
    expect(measurements).toEqual([
      { measurement: other, approved: true, approvedVersion: 3, withdrawnVersion: null },
      { measurement: MEASUREMENT, approved: false, approvedVersion: 1, withdrawnVersion: 4 },
    ]);
    const { policyHistory } = await daoField(
      'policyHistory(first: 1) { edges { node { changes { ... on PolicyListChange { field added removed } } } } }',
    );
    expect(nodes(policyHistory)).toEqual([
      { changes: expect.arrayContaining([{ field: 'measurements', added: [], removed: [MEASUREMENT] }]) },
    ]);
    await execute(await carried({ kind: 'approveMeasurement', measurement: MEASUREMENT }, 'approve again'));
    expect((await daoField(selection)).measurements).toEqual([
      { measurement: other, approved: true, approvedVersion: 3, withdrawnVersion: null },
      { measurement: MEASUREMENT, approved: true, approvedVersion: 5, withdrawnVersion: null },
    ]);
  });

  it('follows governance, payout rules and the pause', async () => {
    const { dao } = world;
    const stricter = { ...QUICK_GOVERNANCE, quorumBps: 5_000, policyByVoteOnly: true };
    await execute(await carried({ kind: 'setGovernance', governance: stricter }, 'govern'));
    await dao.run(dao.founder, { kind: 'pauseDao', daoId: dao.daoId });
    await world.settled();
    expect(await daoField('paused governance { quorumBps policyByVoteOnly votingMs } proposalCount')).toMatchObject({
      paused: true,
      governance: { quorumBps: 5_000, policyByVoteOnly: true, votingMs: 600_000 },
    });
    const quote = `{ quote(input: { datasetId: "${dao.datasetId}", purpose: "DUO:0000042", maxQuestions: 1, termMs: 60000 }) {
      ... on Quote { escrowUnits } ... on Refusal { code __typename } } }`;
    expect(await world.field(quote, {}, await world.signIn(dao.requester))).toEqual({
      code: 'DAO_PAUSED',
      __typename: 'GovernanceRefusal',
    });
    await execute(await carried({ kind: 'unpause' }, 'go on'));
    expect(await daoField('paused')).toEqual({ paused: false });

    const payoutRules = { mode: 'epoch', challengeMs: 0, claimTermMs: 1_000, unclaimedTo: 'treasury' } as const;
    await execute(await carried({ kind: 'setPayoutRules', payoutRules }, 'in epochs'));
    // A DAO that pays in epochs does business like any other; its price was halved above.
    await dao.run(dao.contributors[0]!, dao.grant(0, { priceFloorUnits: asAmount(1n) }, 'cheap'));
    await world.settled();
    expect(await world.field(quote, {}, await world.signIn(dao.requester))).toEqual({
      escrowUnits: String(PRICE / 2n),
    });
  });

  it('knows the signers that were registered and withdrawn by vote, as the chain does', async () => {
    const { dao } = world;
    const publicKeys = [0, 1, 2].map((i) => signingKeyOf(`party ${i}`).publicKey);
    const payTo = dao.stranger.address;
    const id = await carried({ kind: 'registerSigner', signerKind: 'mpc-set', publicKeys, payTo }, 'parties');
    const signerId = signerIdOf('mpc-set', publicKeys);
    const keys = publicKeys.map((key) => toBase64(key));
    expect((await proposal(id)).summary).toBe(
      `Accept receipts of the three MPC parties with the keys ${keys.join(', ')}, and pay its part to ${payTo}.`,
    );
    await execute(id);
    const signers = async () =>
      (await daoField('signers { signerId daoId signerKind publicKeys payTo withdrawnAtMs }')).signers;
    const { id: _, ...view } = await world.chain.signer(dao.daoId, signerId);
    expect(await signers()).toEqual([{ ...view, signerId, publicKeys: keys, withdrawnAtMs: null }]);
    await execute(await carried({ kind: 'withdrawSigner', signerId }, 'no parties'));
    const { withdrawnAtMs } = await world.chain.signer(dao.daoId, signerId);
    expect(withdrawnAtMs).not.toBeNull();
    expect(await signers()).toMatchObject([{ signerId, withdrawnAtMs }]);
  });

  it('has the DAO’s history, in which people’s own affairs are not told', async () => {
    const { dao } = world;
    const { errors } = await world.ask(`{ dao(daoId: "${dao.daoId}") { events { edges { cursor } } } }`);
    expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const seen: { seq: number; type: string; data: string | null }[] = [];
    const token = await world.signIn(dao.requester);
    let after: string | null = null;
    do {
      const page: {
        events: { edges: { node: (typeof seen)[0] }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      } = await world.field(
        `query ($after: String) { dao(daoId: "${dao.daoId}") { events(first: 50, after: $after) {
            edges { node { seq type subject sender transaction atMs data } } pageInfo { hasNextPage endCursor } } } }`,
        { after },
        token,
      );
      seen.push(...page.events.edges.map(({ node }) => node));
      after = page.events.pageInfo.hasNextPage ? page.events.pageInfo.endCursor : null;
    } while (after !== null);
    const inNoDao = ['Minted', 'Transferred', 'HolderSetCreated'];
    const told = (await world.chain.events(0)).filter(({ data }) => !inNoDao.includes(data.type));
    expect(seen.map(({ seq, type }) => [seq, type])).toEqual(
      told.map(({ seq, data }) => [seq, data.type]).toReversed(),
    );
    const personal = new Set(seen.filter(({ data }) => data === null).map(({ type }) => type));
    expect([...personal].sort()).toEqual([
      'ContributionDecided',
      'ContributionRegistered',
      'GrantGiven',
      'JobFunded',
      'ReceiptSettled',
    ]);
    const typed = await world.field(
      `{ dao(daoId: "${dao.daoId}") { events(types: [DaoPaused, DaoUnpaused]) { edges { node { type data } } } } }`,
      {},
      token,
    );
    expect(nodes(typed.events)).toEqual(
      ['DaoUnpaused', 'DaoPaused'].map((type) => ({ type, data: JSON.stringify({ type, daoId: dao.daoId }) })),
    );
  });

  it('asks the database as often for a page of proposals as for one', async () => {
    const statements = async (first: number): Promise<number> => {
      const { PrismaService } = await import('../../platform/prisma/index.js');
      const prisma = world.app.get(PrismaService, { strict: false });
      let count = 0;
      const originals = [prisma.proposal.findMany, prisma.vote.findMany, prisma.$queryRaw] as const;
      const counted = <F extends (...args: never[]) => unknown>(call: F): F =>
        ((...args: never[]) => {
          count++;
          return call(...args);
        }) as F;
      Object.assign(prisma.proposal, { findMany: counted(originals[0]) });
      Object.assign(prisma.vote, { findMany: counted(originals[1]) });
      Object.assign(prisma, { $queryRaw: counted(originals[2].bind(prisma)) });
      await daoField(
        `proposals(first: ${first}) { edges { node { title changes { __typename } votes(first: 3) { edges { cursor } } } } }`,
      );
      Object.assign(prisma.proposal, { findMany: originals[0] });
      Object.assign(prisma.vote, { findMany: originals[1] });
      Object.assign(prisma, { $queryRaw: originals[2] });
      return count;
    };
    expect(await statements(1)).toBeGreaterThan(2);
    expect(await statements(8)).toBe(await statements(1));
  });
});
