import { sign, type SigningKey } from '@usufruct/crypto';
import type { WalletSigner } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type ProposalId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  NO_ANSWER_RULES,
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  appraisalPolicyDigest,
  daoPolicyDigest,
  deriveId,
  LIMITS,
  RunnerStatementBcs,
  TAGS,
  UsageReceiptBcs,
  usesCommitment,
  type ChainActionPayloads,
  type ChainAction,
  type DaoPolicy,
  type Governance,
  type GrantTerms,
  type PayoutRules,
  type RunnerStatement,
  type UsageReceipt,
  type ObjectKind,
  type ProposalEffect,
  type VoteChoice,
  type Use,
} from '@usufruct/protocol';
import { bytesOf, digestOf, hexOf, signingKeyOf, walletOf, World } from './world.js';

export const MEASUREMENT = 'ab'.repeat(48);
export const PURPOSE = 'DUO:0000042';
export const PRICE = 1_000_000n;
const MINUTE_MS = 60_000;

/** A DAO with a dataset, three holders, three contributors with accepted and granted contributions, and a runner. */
export class DaoWorld extends World {
  readonly founder = walletOf('founder');
  readonly contributors = ['ada', 'ben', 'cleo'].map((name) => walletOf(name));
  readonly requester = walletOf('requester');
  readonly stranger = walletOf('stranger');
  readonly runnerWallet = walletOf('runner');
  readonly operators = [0, 1, 2].map((i) => walletOf(`operator ${i}`));
  readonly holderKeys: SigningKey[] = [0, 1, 2].map((i) => signingKeyOf(`holder ${i}`));
  readonly runnerKey = signingKeyOf('runner key');

  readonly holderSetId = deriveId<HolderSetId>('holder-set', null, this.founder.address, hexOf('holders'));
  readonly daoId = deriveId<DaoId>('dao', null, this.founder.address, hexOf('dao'));
  readonly datasetId = deriveId<DatasetId>('dataset', this.daoId, this.founder.address, hexOf('dataset'));
  readonly contributionIds = this.contributors.map(({ address }) =>
    deriveId<ContributionId>('contribution', this.datasetId, address, hexOf('contribution')),
  );
  readonly grantIds = this.contributors.map(({ address }, i) =>
    deriveId<GrantId>('grant', this.contributionIds[i]!, address, hexOf('grant')),
  );
  readonly jobId = deriveId<JobId>('job', this.datasetId, this.requester.address, hexOf('job'));

  /** An id as a client derives it, with a salt by name. */
  derive<T extends Hex32>(kind: ObjectKind, parent: Hex32, owner: WalletSigner, salt: string): T {
    return deriveId<T>(kind, parent, owner.address, hexOf(salt));
  }

  policy(changes: Partial<DaoPolicy> = {}): DaoPolicy {
    return {
      pricePerQuestionUnits: asAmount(PRICE),
      purposes: [PURPOSE, 'dpv:ResearchAndDevelopment'],
      kinds: ['rag', 'stats'],
      protections: ['tee', 'mpc'],
      split: { contributorsBps: 7000, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 },
      holderSetId: this.holderSetId,
      appraisal: {
        version: 1,
        profiles: ['software-dev'],
        measurements: [MEASUREMENT],
        resultTermMs: LIMITS.runnerRegistrationTermMs,
      },
      verifierThreshold: 2,
      maxJobTermMs: 30 * MINUTE_MS,
      ...DEFAULT_DATA_RULES,
      onRevocation: 'finish',
      ...changes,
    };
  }

  holderSet(changes: Partial<ChainActionPayloads['createHolderSet']> = {}): ChainAction {
    const members = this.holderKeys.map(({ publicKey }, i) => ({
      operator: this.operators[i]!.address,
      signingPublicKey: publicKey,
      sealingPublicKey: bytesOf(`sealing ${i}`),
    }));
    return { kind: 'createHolderSet', salt: hexOf('holders'), members, threshold: 2, ...changes };
  }
  dao(
    changes: Partial<DaoPolicy> = {},
    salt = 'dao',
    rules: { governance?: Partial<Governance>; payoutRules?: Partial<PayoutRules> } = {},
  ): ChainAction {
    const policy = this.policy(changes);
    return {
      kind: 'createDao',
      salt: hexOf(salt),
      policy,
      metadataHash: digestOf('metadata'),
      governance: { ...DEFAULT_GOVERNANCE, ...rules.governance },
      payoutRules: { ...DEFAULT_PAYOUT_RULES, ...rules.payoutRules },
    };
  }
  propose(effect: ProposalEffect, salt = 'proposal'): ChainAction {
    const { daoId } = this;
    return { kind: 'propose', salt: hexOf(salt), daoId, effect, descriptionHash: digestOf('reasons') };
  }
  proposalIdOf(proposer: WalletSigner, salt = 'proposal'): ProposalId {
    return this.derive<ProposalId>('proposal', this.daoId, proposer, salt);
  }
  vote(proposalId: ProposalId, choice: VoteChoice = 'yes'): ChainAction {
    return { kind: 'vote', proposalId, choice };
  }
  execute(proposalId: ProposalId): ChainAction {
    return { kind: 'executeProposal', proposalId };
  }
  /** Proposed by the founder, voted for by founder and contributors, past its timelock. */
  async carried(effect: ProposalEffect, salt = 'proposal'): Promise<ProposalId> {
    await this.run(this.founder, this.propose(effect, salt));
    const id = this.proposalIdOf(this.founder, salt);
    for (const who of [this.founder, ...this.contributors]) await this.run(who, this.vote(id));
    const { votingMs, timelockMs } = this.store.read('dao', this.daoId)!.governance;
    this.clock.advance(votingMs + timelockMs);
    return id;
  }
  /** What it changes is changed. */
  async decided(effect: ProposalEffect, salt = 'proposal'): Promise<void> {
    await this.run(this.stranger, this.execute(await this.carried(effect, salt)));
  }
  dataset(changes: Partial<ChainActionPayloads['createDataset']> = {}): ChainAction {
    const metadataHash = digestOf('metadata');
    const { daoId } = this;
    const answerRules = NO_ANSWER_RULES;
    return { kind: 'createDataset', salt: hexOf('dataset'), daoId, metadataHash, answerRules, ...changes };
  }
  contribution(changes: Partial<ChainActionPayloads['registerContribution']> = {}): ChainAction {
    return {
      kind: 'registerContribution',
      salt: hexOf('contribution'),
      datasetId: this.datasetId,
      manifestDigest: digestOf('manifest'),
      manifestBlob: { blob: hexOf('manifest blob'), sizeBytes: 1_000, endEpoch: 9 },
      parts: [{ blob: hexOf('part'), sizeBytes: 4_096, endEpoch: 9 }],
      holderSetId: this.holderSetId,
      policyDigest: daoPolicyDigest(this.policy()),
      ...changes,
    };
  }
  decide(index: number, accept = true): ChainAction {
    return { kind: 'decideContribution', contributionId: this.contributionIds[index]!, accept };
  }
  grant(index: number, terms: Partial<GrantTerms> = {}, salt = 'grant'): ChainAction {
    return {
      kind: 'giveGrant',
      salt: hexOf(salt),
      contributionId: this.contributionIds[index]!,
      terms: {
        purposes: [PURPOSE],
        kinds: ['rag'],
        protections: ['tee'],
        priceFloorUnits: asAmount(PRICE),
        budgetMicroEpsilon: 0n,
        expiresAtMs: asTimestampMs(this.clock.nowMs() + 1_000 * MINUTE_MS),
        ...terms,
      },
    };
  }
  job(changes: Partial<ChainActionPayloads['fundJob']> = {}): ChainAction {
    return {
      kind: 'fundJob',
      salt: hexOf('job'),
      datasetId: this.datasetId,
      purpose: PURPOSE,
      computation: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits: asAmount(PRICE),
      maxQuestions: 3,
      termMs: 10 * MINUTE_MS,
      clientPublicKey: bytesOf('client key'),
      ...changes,
    };
  }

  statement(changes: Partial<RunnerStatement> = {}): Uint8Array {
    const nowMs = this.clock.nowMs();
    return RunnerStatementBcs.serialize({
      chainId: this.chain.info.chainId,
      daoId: this.daoId,
      profile: 'software-dev',
      measurement: MEASUREMENT,
      signingPublicKey: this.runnerKey.publicKey,
      hpkePublicKey: bytesOf('hpke'),
      appraisalPolicyDigest: appraisalPolicyDigest(this.policy().appraisal),
      payTo: this.runnerWallet.address,
      issuedAtMs: nowMs,
      expiresAtMs: asTimestampMs(nowMs + 1_000 * MINUTE_MS),
      ...changes,
    }).toBytes();
  }
  /** Signed by the holders of these indexes, with the keys of `signers` where those differ. */
  async registration(statement: Uint8Array, members: number[] = [0, 1], signers = members): Promise<ChainAction> {
    const signatures = await Promise.all(
      members.map(async (member, at) => ({
        member,
        signature: await sign({
          secretKey: this.holderKeys[signers[at]!]!.secretKey,
          domainTag: TAGS.runnerStatement,
          message: statement,
        }),
      })),
    );
    return { kind: 'registerRunner', statement, signatures };
  }

  uses(...weights: (bigint | null)[]): Use[] {
    return weights
      .flatMap((weight, i) =>
        weight === null
          ? []
          : [{ contributionId: this.contributionIds[i]!, grantId: this.grantIds[i]!, weight: asWeight(weight) }],
      )
      .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
  }
  receipt(uses: readonly Use[], changes: Partial<UsageReceipt> = {}): UsageReceipt {
    const { chainId, packageId, registryId } = this.chain.info;
    return {
      chainId,
      packageId,
      registryId,
      jobId: this.jobId,
      questionId: hexOf<QuestionId>('question 1'),
      signerKind: 'tee',
      signerPublicKey: this.runnerKey.publicKey,
      evidenceDigest: digestOf('evidence'),
      codeHash: digestOf('code'),
      modelHash: digestOf('model'),
      attributionMethod: 'cited-bm25/v1',
      usesCommitment: usesCommitment(hexOf('uses salt'), uses),
      resultCommitment: digestOf('result'),
      budgetSpentMicroEpsilon: 0n,
      priceUnits: asAmount(uses.length === 0 ? 0n : PRICE),
      issuedAtMs: this.clock.nowMs(),
      ...changes,
    };
  }
  async settlement(
    uses: Use[],
    changes: Partial<UsageReceipt> = {},
    key: SigningKey = this.runnerKey,
  ): Promise<{ readonly kind: 'settleReceipt' } & ChainActionPayloads['settleReceipt']> {
    const receipt = UsageReceiptBcs.serialize(this.receipt(uses, changes)).toBytes();
    const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.receipt, message: receipt });
    return { kind: 'settleReceipt', receipt, signature, usesSalt: hexOf('uses salt'), uses };
  }

  /** Holder set, DAO and dataset. */
  async found(governance: Partial<Governance> = {}): Promise<this> {
    await this.run(this.founder, this.holderSet(), this.dao({}, 'dao', { governance }), this.dataset());
    return this;
  }
  /** And every contribution accepted and granted. */
  async fill(): Promise<this> {
    for (const [i, contributor] of this.contributors.entries()) {
      await this.run(contributor, this.contribution(), this.grant(i));
      await this.run(this.founder, this.decide(i));
    }
    return this;
  }
  /** And a runner, a requester with ten million units, and a funded job of three questions. */
  async open(): Promise<this> {
    await this.run(this.runnerWallet, await this.registration(this.statement()));
    await this.run(this.requester, this.mint(this.requester, 10n * PRICE));
    await this.run(this.requester, this.job());
    return this;
  }
  static async ready(): Promise<DaoWorld> {
    const world = new DaoWorld();
    return (await (await world.found()).fill()).open();
  }
}

export type Signer = WalletSigner;
