import type { ClientWithCoreApi } from '@mysten/sui/client';
import {
  asAmount,
  refuse,
  toBase64,
  UsufructError,
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
  type LicenceId,
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
  type LicenceOfferView,
  type LicenceView,
  type RunnerView,
} from '@usufruct/protocol';
import {
  blobView,
  contributionState,
  jobState,
  jobTermsView,
  licenceTermsView,
  licenceView,
  policyView,
  termsView,
  treasuryOf,
} from '../events/wire-values.js';
import { askSui } from '../failures.js';
import { digest } from '../layout/common.js';
import type { ValueOf } from '../layout/move-types.js';
import * as layouts from '../layout/objects.js';
import type { Lookup } from './lookup.js';
import { addressName } from './objects.js';

/**
 * The views, from the objects as they are now. The index says where an object is and in which order things came; what
 * they are is read from the chain each time, so that a revocation counts as soon as the node has it.
 */
export class SuiReader {
  #info: Promise<ChainInfo> | null = null;

  constructor(private readonly lookup: Lookup) {}

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
    await this.lookup.params.index.sync();
    const { members } = await this.lookup.dao(id);
    const dao = await this.lookup.daoObject(id);
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
    const { object } = await this.lookup.dataset(id);
    const dataset = await this.lookup.objects.object(object, layouts.datasetObject);
    return {
      id,
      daoId: dataset.dao_id,
      metadataHash: dataset.metadata_hash,
      contributionCount: dataset.contribution_count,
      answerRules: dataset.answer_rules,
      tombstonedAtMs: dataset.tombstoned_at_ms,
    };
  }

  async contribution(id: ContributionId): Promise<ContributionView> {
    const { datasetId } = await this.lookup.contribution(id);
    const [view] = await this.#contributions(datasetId, [id]);
    return view!;
  }

  async contributions(ids: readonly ContributionId[]): Promise<(ContributionView | null)[]> {
    const known = await this.#known(ids);
    const found = new Map<ContributionId, ContributionView | null>();
    for (const [datasetId, ofDataset] of byDataset(known)) {
      const views = await this.#contributionsOrNull(datasetId, ofDataset);
      ofDataset.forEach((id, i) => found.set(id, views[i]!));
    }
    return ids.map((id) => found.get(id) ?? null);
  }

  async contributionsOf(datasetId: DatasetId): Promise<ContributionView[]> {
    await this.lookup.params.index.sync();
    const { contributions } = await this.lookup.dataset(datasetId);
    return this.#contributions(datasetId, contributions);
  }

  async grant(id: GrantId): Promise<GrantView> {
    const { contributionId } = await this.lookup.find((index) => index.grants.find(id));
    const [view] = await this.#grants(contributionId, [id]);
    return view!;
  }

  async grantsOf(contributionId: ContributionId): Promise<GrantView[]> {
    await this.lookup.params.index.sync();
    const { grants } = await this.lookup.contribution(contributionId);
    return this.#grants(contributionId, grants);
  }

  async grantsOfEach(contributionIds: readonly ContributionId[]): Promise<GrantView[][]> {
    const known = await this.#known(contributionIds);
    const found = new Map<ContributionId, GrantView[]>();
    for (const [datasetId, ofDataset] of byDataset(known)) {
      const { object } = await this.lookup.dataset(datasetId);
      const asked = ofDataset.flatMap((contributionId) =>
        known.get(contributionId)!.grants.map((id) => ({ id, contributionId })),
      );
      for (const view of await this.#grantViews(object, asked)) {
        found.set(view.contributionId, [...(found.get(view.contributionId) ?? []), view]);
      }
    }
    return contributionIds.map((id) => found.get(id) ?? []);
  }

  async holderSet(id: HolderSetId): Promise<HolderSetView> {
    const { object } = await this.lookup.find((index) => index.holderSets.find(id));
    const set = await this.lookup.objects.object(object, layouts.holderSetObject);
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
    const { runners } = (await this.lookup.daoObject(daoId)).runners;
    const runner = await this.lookup.objects.field(runners.id, addressName(runnerId), layouts.runner);
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
      questionsSettled: job.questions_settled,
      escrowUnits: job.escrow.held.value,
      state: jobState(job.state),
    };
  }

  async settledReceipt(jobId: JobId, questionId: QuestionId): Promise<Digest | null> {
    const { consumed } = await this.#job(jobId);
    return this.lookup.objects.field(consumed.id, addressName(questionId), digest);
  }

  async licenceOffer(id: LicenceId): Promise<LicenceOfferView> {
    const { daoId, datasetId } = await this.lookup.find((index) => index.offers.find(id));
    const { object } = await this.lookup.dataset(datasetId);
    const name = this.lookup.fieldName('licence::OfferKey', id);
    const offer = await this.lookup.objects.field(object, name, layouts.licenceOffer);
    if (offer === null) throw refuse('NOT_FOUND', { object: 'licence offer' });
    return { id, daoId, terms: licenceTermsView(offer.terms), withdrawnAtMs: offer.withdrawn_at_ms };
  }

  async licence(id: LicenceId): Promise<LicenceView> {
    const { object, daoId } = await this.lookup.find((index) => index.licences.find(id));
    await this.lookup.dao(daoId);
    return licenceView(await this.lookup.objects.object(object, layouts.licenceObject));
  }

  async balanceOf(owner: Address): Promise<AmountUnits> {
    const { client, settings, timeoutMs } = this.lookup.params;
    const { balance } = await askSui(
      (signal) => client.core.getBalance({ owner, coinType: settings.coinType, signal }),
      {
        timeoutMs,
      },
    );
    return asAmount(BigInt(balance.balance));
  }

  async #readInfo(): Promise<ChainInfo> {
    const { client, settings, timeoutMs } = this.lookup.params;
    const { packageId, registryId, coinType } = settings;
    const [registry, node, coin] = await Promise.all([
      this.lookup.objects.object(registryId, layouts.registryObject),
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
    return (await this.#contributionsOrNull(datasetId, ids)).map((view) => {
      if (view === null) throw refuse('NOT_FOUND', { object: 'contribution' });
      return view;
    });
  }

  async #contributionsOrNull(
    datasetId: DatasetId,
    ids: readonly ContributionId[],
  ): Promise<(ContributionView | null)[]> {
    const { object } = await this.lookup.dataset(datasetId);
    const names = ids.map((id) => this.lookup.fieldName('contribution::ContributionKey', id));
    const found = await this.lookup.objects.fields(object, names, layouts.contribution);
    return found.map((contribution, i) =>
      contribution === null ? null : contributionView(ids[i]!, datasetId, contribution),
    );
  }

  /** What the index says of these contributions, once it is up to date; those that it does not know are left out. */
  async #known(ids: readonly ContributionId[]): Promise<Map<ContributionId, IndexedContribution>> {
    await this.lookup.params.index.sync();
    const known = new Map<ContributionId, IndexedContribution>();
    for (const id of ids) {
      const contribution = await this.lookup.contribution(id).catch(nullIfUnknown);
      if (contribution !== null) known.set(id, contribution);
    }
    return known;
  }

  async #grants(contributionId: ContributionId, ids: readonly GrantId[]): Promise<GrantView[]> {
    const { datasetObject } = await this.lookup.contribution(contributionId);
    return this.#grantViews(
      datasetObject,
      ids.map((id) => ({ id, contributionId })),
    );
  }

  async #grantViews(
    datasetObject: Hex32,
    asked: readonly { readonly id: GrantId; readonly contributionId: ContributionId }[],
  ): Promise<GrantView[]> {
    const names = asked.map(({ id }) => this.lookup.fieldName('grant::GrantKey', id));
    const found = await this.lookup.objects.fields(datasetObject, names, layouts.grant);
    return found.map((grant, i) => {
      if (grant === null) throw refuse('NOT_FOUND', { object: 'grant' });
      return {
        ...asked[i]!,
        grantor: grant.grantor,
        terms: termsView(grant.terms),
        givenAtMs: grant.given_at_ms,
        revokedAtMs: grant.revoked_at_ms,
      };
    });
  }

  async #job(id: JobId): Promise<ValueOf<typeof layouts.jobObject>> {
    const { object, daoId } = await this.lookup.find((index) => index.jobs.find(id));
    await this.lookup.dao(daoId);
    return this.lookup.objects.object(object, layouts.jobObject);
  }
}

type IndexedContribution = Awaited<ReturnType<Lookup['contribution']>>;

function byDataset(known: ReadonlyMap<ContributionId, IndexedContribution>): Map<DatasetId, ContributionId[]> {
  const datasets = new Map<DatasetId, ContributionId[]>();
  for (const [id, { datasetId }] of known) {
    const ids = datasets.get(datasetId);
    if (ids === undefined) datasets.set(datasetId, [id]);
    else ids.push(id);
  }
  return datasets;
}

function nullIfUnknown(error: unknown): null {
  if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
  throw error;
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
  tombstonedAtMs: contribution.tombstoned_at_ms,
});

/** The id of the network that a node is of, as registries name it: Sui's genesis digest. */
export async function chainIdOf(client: ClientWithCoreApi, timeoutMs: number): Promise<string> {
  const { chainIdentifier } = await askSui((signal) => client.core.getChainIdentifier({ signal }), { timeoutMs });
  return `sui:${chainIdentifier}`;
}
