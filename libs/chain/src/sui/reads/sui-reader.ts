import type { ClientWithCoreApi } from '@mysten/sui/client';
import {
  asAmount,
  fromHex,
  refuse,
  toBase64,
  type Address,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type ProposalId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  type ChainInfo,
  type ContributionView,
  type DaoView,
  type DatasetView,
  type GrantView,
  type HolderSetView,
  type JobView,
  type ProposalEffect,
  type RunnerView,
} from '@usufruct/protocol';
import type { EventIndex } from '../events/event-index.js';
import {
  blobView,
  contributionState,
  jobState,
  jobTermsView,
  policyView,
  termsView,
  treasuryOf,
} from '../events/wire-values.js';
import { askSui } from '../failures.js';
import { digest } from '../layout/common.js';
import type { ValueOf } from '../layout/move-types.js';
import * as layouts from '../layout/objects.js';
import type { SuiSettings } from '../settings.js';
import { addressName, ObjectReader, type FieldName } from './objects.js';

export interface SuiReaderParams {
  readonly client: ClientWithCoreApi;
  readonly settings: SuiSettings;
  readonly index: EventIndex;
  readonly timeoutMs: number;
}

/**
 * The views, from the objects as they are now. The index says where an object is and in which order things came; what
 * they are is read from the chain each time, so that a revocation counts as soon as the node has it.
 */
export class SuiReader {
  readonly #objects: ObjectReader;
  #info: Promise<ChainInfo> | null = null;

  constructor(private readonly params: SuiReaderParams) {
    this.#objects = new ObjectReader(params.client, params.timeoutMs);
  }

  /** Refuses `CONFIG_INVALID` when the registry is another network's. */
  async info(): Promise<ChainInfo> {
    this.#info ??= this.#readInfo().catch((error: unknown) => {
      this.#info = null;
      throw error;
    });
    return this.#info;
  }

  async dao(id: DaoId): Promise<DaoView> {
    // Members are in the index, in the order of joining; what else there is to know is the object's.
    await this.params.index.sync();
    const { object, members } = await this.#dao(id);
    const dao = await this.#objects.object(object, layouts.daoObject);
    return {
      id,
      founder: dao.founder,
      treasury: treasuryOf(id),
      policyVersion: dao.policy_version,
      policy: policyView(dao.policy),
      policyDigest: dao.policy_digest,
      metadataHash: dao.metadata_hash,
      members: [...members],
      governance: { ...dao.governance },
      payoutRules: { ...dao.payout_rules },
      paused: dao.paused,
      proposalCount: dao.proposal_count,
    };
  }

  async dataset(id: DatasetId): Promise<DatasetView> {
    const { object } = await this.#dataset(id);
    const dataset = await this.#objects.object(object, layouts.datasetObject);
    return {
      id,
      daoId: dataset.dao_id,
      metadataHash: dataset.metadata_hash,
      contributionCount: dataset.contribution_count,
      tombstonedAtMs: null,
    };
  }

  async contribution(id: ContributionId): Promise<ContributionView> {
    const { datasetId } = await this.#find((index) => index.objects.contributions.find(id));
    const [view] = await this.#contributions(datasetId, [id]);
    return view!;
  }

  async contributionsOf(datasetId: DatasetId): Promise<ContributionView[]> {
    await this.params.index.sync();
    const { contributions } = await this.#dataset(datasetId);
    return this.#contributions(datasetId, contributions);
  }

  async grant(id: GrantId): Promise<GrantView> {
    const { contributionId } = await this.#find((index) => index.objects.grants.find(id));
    const [view] = await this.#grants(contributionId, [id]);
    return view!;
  }

  async grantsOf(contributionId: ContributionId): Promise<GrantView[]> {
    await this.params.index.sync();
    const { grants } = this.params.index.objects.contributions.find(contributionId);
    return this.#grants(contributionId, grants);
  }

  async holderSet(id: HolderSetId): Promise<HolderSetView> {
    const { object } = await this.#find((index) => index.objects.holderSets.find(id));
    const set = await this.#objects.object(object, layouts.holderSetObject);
    const members = set.members.map((member) => ({
      operator: member.operator,
      signingPublicKey: toBase64(member.signing_public_key),
      sealingPublicKey: toBase64(member.sealing_public_key),
    }));
    return {
      id,
      members,
      threshold: set.threshold,
      version: set.set_version,
      tombstonedKeys: set.tombstoned_keys.map(toBase64),
    };
  }

  async runner(daoId: DaoId, runnerId: RunnerId): Promise<RunnerView> {
    const { object } = await this.#dao(daoId);
    const { runners } = (await this.#objects.object(object, layouts.daoObject)).runners;
    const runner = await this.#objects.field(runners.id, addressName(runnerId), layouts.runner);
    if (runner === null) throw refuse('NOT_FOUND', { object: 'runner' });
    return {
      id: runnerId,
      daoId,
      profile: runner.profile,
      measurement: runner.measurement,
      signingPublicKey: toBase64(runner.signing_public_key),
      hpkePublicKey: toBase64(runner.hpke_public_key),
      appraisalPolicyDigest: runner.appraisal_policy_digest,
      payTo: runner.pay_to,
      expiresAtMs: runner.expires_at_ms,
    };
  }

  async job(id: JobId): Promise<JobView> {
    const job = await this.#job(id);
    return {
      ...jobTermsView(job),
      payoutMode: 'direct',
      questionsSettled: job.questions_settled,
      escrowUnits: job.escrow.held.value,
      state: jobState(job.state),
    };
  }

  async settledReceipt(jobId: JobId, questionId: QuestionId): Promise<Digest | null> {
    const { consumed } = await this.#job(jobId);
    return this.#objects.field(consumed.id, addressName(questionId), digest);
  }

  async effectOf(id: ProposalId): Promise<ProposalEffect> {
    const { object } = await this.#find((index) => index.objects.proposals.find(id));
    return (await this.#objects.object(object, layouts.proposalObject)).effect;
  }

  async balanceOf(owner: Address): Promise<AmountUnits> {
    const { client, settings, timeoutMs } = this.params;
    const { balance } = await askSui(
      (signal) => client.core.getBalance({ owner, coinType: settings.coinType, signal }),
      {
        timeoutMs,
      },
    );
    return asAmount(BigInt(balance.balance));
  }

  async #readInfo(): Promise<ChainInfo> {
    const { client, settings, timeoutMs } = this.params;
    const { packageId, registryId, coinType } = settings;
    const [registry, node, coin] = await Promise.all([
      this.#objects.object(registryId, layouts.registryObject),
      chainIdOf(client, timeoutMs),
      askSui((signal) => client.core.getCoinMetadata({ coinType, signal }), { timeoutMs }),
    ]);
    if (registry.chain_id !== node) {
      throw refuse('CONFIG_INVALID', { setting: 'SUI_REGISTRY_ID', reason: 'it was opened for another network' });
    }
    if (coin.coinMetadata === null) {
      throw refuse('CONFIG_INVALID', { setting: 'SUI_COIN_TYPE', reason: 'this network knows no such coin' });
    }
    const { symbol, decimals } = coin.coinMetadata;
    return {
      chainId: registry.chain_id,
      packageId,
      registryId,
      coin: { type: coinType, symbol, decimals },
      protocolAccount: registry.protocol_account,
      standIn: false,
    };
  }

  async #contributions(datasetId: DatasetId, ids: readonly ContributionId[]): Promise<ContributionView[]> {
    const { object } = this.params.index.objects.datasets.find(datasetId);
    const names = ids.map((id) => this.#name('contribution::ContributionKey', id));
    const found = await this.#objects.fields(object, names, layouts.contribution);
    return found.map((contribution, i) => {
      if (contribution === null) throw refuse('NOT_FOUND', { object: 'contribution' });
      return contributionView(ids[i]!, datasetId, contribution);
    });
  }

  async #grants(contributionId: ContributionId, ids: readonly GrantId[]): Promise<GrantView[]> {
    const { datasetId } = this.params.index.objects.contributions.find(contributionId);
    const { object } = this.params.index.objects.datasets.find(datasetId);
    const names = ids.map((id) => this.#name('grant::GrantKey', id));
    const found = await this.#objects.fields(object, names, layouts.grant);
    return found.map((grant, i) => {
      if (grant === null) throw refuse('NOT_FOUND', { object: 'grant' });
      return {
        id: ids[i]!,
        contributionId,
        grantor: grant.grantor,
        terms: termsView(grant.terms),
        givenAtMs: grant.given_at_ms,
        revokedAtMs: grant.revoked_at_ms,
      };
    });
  }

  /** A struct of one field serialises as that field. */
  #name(struct: string, id: Hex32): FieldName {
    return { type: `${this.params.settings.packageId}::${struct}`, bytes: fromHex(id) };
  }

  async #dao(id: DaoId) {
    const dao = await this.#find((index) => index.objects.daos.find(id));
    if (dao.coin !== this.params.settings.coinType) throw refuse('NOT_FOUND', { object: 'dao' });
    return dao;
  }

  async #dataset(id: DatasetId) {
    const dataset = await this.#find((index) => index.objects.datasets.find(id));
    await this.#dao(dataset.daoId);
    return dataset;
  }

  async #job(id: JobId): Promise<ValueOf<typeof layouts.jobObject>> {
    const { object, daoId } = await this.#find((index) => index.objects.jobs.find(id));
    await this.#dao(daoId);
    return this.#objects.object(object, layouts.jobObject);
  }

  /** What the index has, or has once it is up to date. */
  async #find<T>(find: (index: EventIndex) => T): Promise<T> {
    const { index } = this.params;
    try {
      return find(index);
    } catch {
      await index.sync();
      return find(index);
    }
  }
}

const contributionView = (
  id: ContributionId,
  datasetId: DatasetId,
  contribution: ValueOf<typeof layouts.contribution>,
): ContributionView => ({
  id,
  datasetId,
  owner: contribution.owner,
  state: contributionState(contribution.state),
  manifestDigest: contribution.manifest_digest,
  manifestBlob: blobView(contribution.manifest_blob),
  parts: contribution.parts.map(blobView),
  holderSetId: contribution.holder_set_id,
  policyDigest: contribution.policy_digest,
  tombstonedAtMs: null,
});

/** The id of the network that a node is of, as registries name it: Sui's genesis digest. */
export async function chainIdOf(client: ClientWithCoreApi, timeoutMs: number): Promise<string> {
  const { chainIdentifier } = await askSui((signal) => client.core.getChainIdentifier({ signal }), { timeoutMs });
  return `sui:${chainIdentifier}`;
}
