import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAmount, sumUnits, type Address, type ProposalId } from '@usufruct/kernel';
import { DEFAULT_GOVERNANCE, type ProposalEffect } from '@usufruct/protocol';
import type { ProposalStatus } from '@usufruct/sdk';
import { commandLineOf } from '../support/command-line.js';
import { FRIDGE_LOG, HANDBOOK, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  found,
  fundedSession,
  mint,
  newPlayer,
  PRICE_UNITS,
  PURPOSE,
} from '../support/players.js';
import type { Contributor, Founded, Player } from '../support/players.js';
import { startTestSystem } from '../support/system.js';

/** Votes are open for so long at least, and for so many times what a command takes on this machine as it is now. */
const VOTING_AT_LEAST_MS = 8_000;
const COMMANDS_PER_VOTE = 6;
const governanceWith = (votingMs: number) => ({
  ...DEFAULT_GOVERNANCE,
  quorumBps: 5_000,
  votingMs,
  timelockMs: 200,
  executionMs: 600_000,
});
const NEW_PRICE = asAmount(2_000_001n);
const LICENCE_PRICE = asAmount(400_000n);
const OTHER_CODE = 'cd'.repeat(48);

describe('a DAO decides: applications, votes, policy, treasury, pause', () => {
  let system: Awaited<ReturnType<typeof startTestSystem>>;
  let dao: Founded;
  let ada: Contributor;
  let ben: Contributor;
  let enterprise: Awaited<ReturnType<typeof fundedSession>>;
  let clerk: Address;

  beforeAll(async () => {
    system = await startTestSystem();
    writeFileSync(join(system.home, 'endpoints.json'), JSON.stringify(system.endpoints));
    const startedMs = performance.now();
    clerk = (await cli('wallet', 'new'))['address'] as Address;
    const commandMs = Math.ceil(performance.now() - startedMs);
    const votingMs = Math.max(VOTING_AT_LEAST_MS, COMMANDS_PER_VOTE * commandMs);
    dao = await found(system.endpoints, {}, governanceWith(votingMs));
    ada = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    ben = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
    enterprise = await fundedSession(system.endpoints, dao.dataset.id, 1);
    await enterprise.session.ask({ key: 'q', text: QUESTION });
  }, 240_000);
  afterAll(() => system?.stop(), 120_000);

  const chain = () => dao.founder.client.chain;
  const treasury = async () => chain().balanceOf(dao.dao.treasury);
  /** Everybody who had money minted, beside the first enterprise. */
  const buyers: Player[] = [];
  const licenceTerms = () =>
    ({
      datasetId: dao.dataset.id,
      purpose: PURPOSE,
      computation: 'rag',
      protection: 'tee',
      priceUnits: LICENCE_PRICE,
      termMs: 86_400_000,
    }) as const;
  async function citedIn(question: string): Promise<Set<string>> {
    const later = await fundedSession(system.endpoints, dao.dataset.id, 1, NEW_PRICE);
    buyers.push(later.player);
    const { verdict, answer } = await later.session.ask({ key: 'q', text: question });
    expect(verdict.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    await later.session.close();
    return new Set(answer.citations.map(({ contributionId }) => contributionId));
  }

  /** The clerk works from a command line. */
  const cli = (...args: readonly string[]) => commandLineOf(system.home, 'clerk')(...args);
  const propose = (by: Player, effect: ProposalEffect): Promise<ProposalStatus> => {
    const words = { title: effect.kind, description: '' };
    return by.client.proposals.propose({ key: effect.kind, daoId: dao.dao.id, effect, ...words });
  };
  /** Enough vote for all of it; the first is also voted on, and executed, from the command line. */
  async function decide(...ids: [ProposalId, ...ProposalId[]]): Promise<void> {
    const [first, ...others] = ids;
    const voters = [dao.founder, ada].map(({ client }) => client.proposals);
    await Promise.all([
      cli('dao', 'vote', first, 'yes'),
      ...ids.flatMap((id) => voters.map((proposals) => proposals.vote(id, 'yes'))),
    ]);
    // They were made side by side: none need be the last one.
    await until(async () => {
      const now = await Promise.all(ids.map((id) => ada.client.proposals.status(id)));
      return now.every(({ state }) => state === 'executable');
    });
    expect(await cli('dao', 'execute', first)).toMatchObject({ state: 'executed' });
    for (const id of others) expect((await ben.client.proposals.execute(id)).state).toBe('executed');
  }

  it('takes in a member who applied, by a steward, from the command line', async () => {
    const daoId = dao.dao.id;
    expect(await cli('dao', 'apply', daoId, '--statement', 'I keep the books.')).toMatchObject({
      membership: { state: 'applied' },
    });
    await cli('dao', 'apply', daoId, '--statement', 'I keep the books.');
    expect(await cli('dao', 'applications', daoId)).toMatchObject({
      applications: [{ applicant: clerk, statement: 'I keep the books.' }],
    });
    await expect(ben.client.members.decide(daoId, clerk, true)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await dao.founder.client.members.decide(daoId, clerk, true);
    const { members } = (await cli('dao', 'members', daoId)) as { members: { address: string; roles: number }[] };
    // The founder, the two contributors, and the clerk: in order of joining.
    expect(members.map(({ address }) => address)).toEqual([
      dao.founder.signer.address,
      ada.signer.address,
      ben.signer.address,
      clerk,
    ]);
    expect(members.map(({ roles }) => roles)).toEqual([7, 0, 0, 0]);
  }, 240_000);

  it('raises its price, approves code and spends from its treasury by vote, and does not do what too few want', async () => {
    expect(await treasury()).toBe(150_001n); // 15 % of 1,000,003, and the unit that the floors leave
    const to = clerk;
    const proposals = await Promise.all([
      propose(ada, { kind: 'setPrice', pricePerQuestionUnits: NEW_PRICE }),
      propose(ben, { kind: 'approveMeasurement', measurement: OTHER_CODE }),
      propose(dao.founder, { kind: 'spendTreasury', to, amountUnits: asAmount(100_000n) }),
      propose(ada, { kind: 'offerLicence', terms: licenceTerms() }),
    ]);
    const [price, ...others] = proposals.map(({ proposal }) => proposal.id);
    const mine = { kind: 'spendTreasury', to: ben.signer.address, amountUnits: asAmount(50_001n) } as const;
    const { proposal: unwanted } = await propose(ben, mine);
    await ben.client.proposals.vote(unwanted.id, 'yes');
    await dao.founder.client.proposals.vote(unwanted.id, 'no');
    await expect(ada.client.proposals.execute(price!)).rejects.toMatchObject({ code: 'PROPOSAL_STATE' });
    await expect(newPlayer(system.endpoints).client.proposals.vote(price!, 'no')).rejects.toMatchObject({
      code: 'NO_VOTE',
    });
    await decide(price!, ...others);
    const { policy, policyVersion } = await chain().dao(dao.dao.id);
    expect([policy.pricePerQuestionUnits, policyVersion]).toEqual([NEW_PRICE, 3]);
    expect(policy.appraisal.measurements).toEqual([system.endpoints.runnerMeasurement, OTHER_CODE]);
    expect([await treasury(), await chain().balanceOf(clerk)]).toEqual([50_001n, 100_000n]);
    const told = (await cli('dao', 'proposals', dao.dao.id)) as { proposals: { words: { title: string } | null }[] };
    expect(told.proposals.map(({ words }) => words?.title).sort()).toEqual([
      'approveMeasurement',
      'offerLicence',
      'setPrice',
      'spendTreasury',
      'spendTreasury',
    ]);
    expect(await cli('dao', 'treasury', dao.dao.id)).toMatchObject({
      treasury: { balanceUnits: '50001', spending: [{ to: clerk, amountUnits: '100000' }] },
    });
    // The same again, from anyone, changes nothing; and one yes against one no is no majority.
    await dao.founder.client.proposals.execute(others[1]!);
    await expect(ben.client.proposals.execute(unwanted.id)).rejects.toMatchObject({ code: 'PROPOSAL_STATE' });
    expect((await ben.client.proposals.status(unwanted.id)).state).toBe('rejected');
    expect(await treasury()).toBe(50_001n);
  }, 240_000);

  it('is paused by its founder, refuses new sessions, lets old ones end, and goes on by vote', async () => {
    expect((await dao.founder.client.daos.pause(dao.dao.id)).paused).toBe(true);
    const refused = { code: 'DAO_PAUSED' };
    await expect(fundedSession(system.endpoints, dao.dataset.id, 1, NEW_PRICE)).rejects.toMatchObject(refused);
    await enterprise.session.close();
    const { proposal } = await propose(ada, { kind: 'unpause' });
    await decide(proposal.id);
    expect((await chain().dao(dao.dao.id)).paused).toBe(false);
  }, 240_000);

  it('sells what its members voted to offer, once for a key and at that price', async () => {
    const [offer] = await ada.client.licences.offers(dao.dao.id);
    const buyer = newPlayer(system.endpoints);
    buyers.push(buyer);
    await mint(buyer, LICENCE_PRICE);
    const params = { key: 'k', offerId: offer!.id, priceAtMostUnits: LICENCE_PRICE };
    const licence = await buyer.client.licences.buy(params);
    expect(await buyer.client.licences.buy(params)).toEqual(licence);
    expect(licence).toMatchObject({ licensee: buyer.signer.address, terms: licenceTerms() });
    // 5 % of 400,000 go to the protocol.
    expect(await treasury()).toBe(430_001n);
    expect(await cli('licence', 'list', '--dao', dao.dao.id)).toMatchObject({ licences: [{ id: licence.id }] });
  }, 240_000);

  it('renews its key holders: enough of them sign the next version, from the command line', async () => {
    const { holderSetId } = (await chain().dao(dao.dao.id)).policy;
    const draft = join(system.home, 'rotation.json');
    await cli('holder-set', 'draft', holderSetId, '--threshold', '2', '--out', draft);
    const secrets = JSON.parse(readFileSync(join(system.home, 'secrets.json'), 'utf8')) as { holderSecrets: string[] };
    for (const [i, secret] of secrets.holderSecrets.slice(0, 2).entries()) {
      const file = join(system.home, `secret-of-holder-${i}`);
      writeFileSync(file, secret, { mode: 0o600 });
      await cli('holder-set', 'sign', draft, '--secret-file', file);
    }
    for (let i = 0; i < 2; i++) {
      expect(await cli('holder-set', 'rotate', draft)).toMatchObject({ holderSet: { version: 2 } });
    }
    expect(await cli('holder-set', 'show', holderSetId)).toMatchObject({ versions: [{ version: 1 }, { version: 2 }] });
  }, 240_000);

  it('works on at the new price, with the renewed holders, under the new appraisal policy', async () => {
    expect(await citedIn(QUESTION)).toEqual(new Set([ada.contributionId, ben.contributionId]));
    // 15 % of 2,000,001 is 300,000.15; 70 % is 1,400,000.7, which gets the one unit that the floors leave.
    expect(await treasury()).toBe(730_001n);
  }, 240_000);

  it('uses nothing of a contribution that its owner retired', async () => {
    await expect(ada.client.contributions.tombstone(ben.contributionId)).rejects.toMatchObject({
      code: 'WRONG_WALLET',
    });
    await ben.client.contributions.tombstone(ben.contributionId);
    expect(await citedIn(QUESTION)).toEqual(new Set([ada.contributionId]));
  }, 240_000);

  it('has books that agree with the chain to the unit, and a history that says how it came to be', async () => {
    const runners = new Set<Address>();
    for (const { data } of await chain().events(0)) {
      if (data.type === 'RunnerRegistered') runners.add(data.runner.payTo);
    }
    const { protocolAccount } = await chain().info();
    const accounts = [dao.dao.treasury, protocolAccount, clerk, ...runners];
    const parts = await Promise.all([
      ...accounts.map((account) => chain().balanceOf(account)),
      ...[dao.founder, ada, ben, enterprise.player, ...buyers].map(balanceOf),
    ]);
    expect(sumUnits(parts)).toBe(PRICE_UNITS + 2n * NEW_PRICE + LICENCE_PRICE);
    expect(await dao.founder.client.payouts.reconcile()).toMatchObject({ agrees: true, mismatches: [] });
    const { events } = (await cli('dao', 'history', dao.dao.id)) as { events: { data: { type: string } }[] };
    const count = (type: string): number => events.filter(({ data }) => data.type === type).length;
    expect(['MemberAdded', 'ProposalCreated', 'ProposalExecuted', 'PolicySet', 'DaoPaused'].map(count)).toEqual([
      4, 6, 5, 2, 1,
    ]);
    const shown = await cli('dao', 'show', dao.dao.id);
    expect(shown).toMatchObject({ dao: { policyVersion: 3, proposalCount: 6 }, treasury: { balanceUnits: '1030001' } });
  }, 240_000);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 100));
}
