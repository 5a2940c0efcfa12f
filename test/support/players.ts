import { randomBytes } from 'node:crypto';
import { keypairSigner, openChain, type WalletSigner } from '@usufruct/chain';
import {
  asAmount,
  systemClock,
  utf8,
  type AmountUnits,
  type ContributionId,
  type DatasetId,
  type JobId,
} from '@usufruct/kernel';
import {
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  LIMITS,
  type DaoPolicy,
  type DaoView,
  type DatasetView,
  type Governance,
  type GrantView,
  type PayoutRules,
} from '@usufruct/protocol';
import { connect, memoryJournal, type ContributeParams, type Journal, type UsufructClient } from '@usufruct/sdk';
import { httpBlobStore, localLeases } from '@usufruct/walrus';

/** What the launcher says about where everything is. */
export interface Endpoints {
  readonly apiUrl: string;
  readonly chainUrl: string;
  readonly publisherUrl: string;
  readonly aggregatorUrl: string;
  readonly storeShards?: number;
  readonly holderUrls: readonly string[];
  readonly teeDevRoot: string;
  readonly runnerMeasurement: string;
}

/** A person with a wallet of their own and a client that works for it alone. */
export interface Player {
  readonly client: UsufructClient;
  readonly signer: WalletSigner;
  readonly journal: Journal;
}

export const PURPOSE = 'dpv:ResearchAndDevelopment';
export const PRICE_UNITS = asAmount(1_000_003n); // not divisible by the split: every question leaves remainders

export function newPlayer(
  endpoints: Endpoints,
  journal: Journal = memoryJournal(),
  signer: WalletSigner = keypairSigner(randomBytes(32)),
): Player {
  const client = connect({
    apiUrl: endpoints.apiUrl,
    chain: openChain({ suiNetwork: 'local', chainUrl: endpoints.chainUrl }),
    store: httpBlobStore({
      publisherUrl: endpoints.publisherUrl,
      aggregatorUrl: endpoints.aggregatorUrl,
      leases: localLeases({ url: endpoints.publisherUrl }),
      ...(endpoints.storeShards === undefined ? { maxQuiltFiles: 0 } : { shards: endpoints.storeShards }),
    }),
    holders: endpoints.holderUrls.map((url) => ({ url })),
    signer,
    journal,
    teeDevRoot: endpoints.teeDevRoot,
  });
  return { client, signer, journal };
}

export const balanceOf = (player: Player): Promise<AmountUnits> => player.client.chain.balanceOf(player.signer.address);

export const mint = (player: Player, amountUnits: bigint): Promise<unknown> =>
  player.client.chain.execute(
    [{ kind: 'mint', to: player.signer.address, amountUnits: asAmount(amountUnits) }],
    player.signer,
  );

export interface Founded {
  readonly founder: Player;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
}

/** A DAO whose policy approves this system's runner, with one dataset. */
export async function found(
  endpoints: Endpoints,
  change: Partial<DaoPolicy> = {},
  governance: Governance = DEFAULT_GOVERNANCE,
  payoutRules: PayoutRules = DEFAULT_PAYOUT_RULES,
): Promise<Founded> {
  const founder = newPlayer(endpoints);
  const holderSet = await founder.client.daos.createHolderSet({ key: 'holders', threshold: 2 });
  const dao = await founder.client.daos.create({
    key: 'dao',
    title: 'Cold chain cooperative',
    description: 'Keeps vaccines cold.',
    governance,
    payoutRules,
    policy: {
      pricePerQuestionUnits: PRICE_UNITS,
      purposes: [PURPOSE],
      kinds: ['rag'],
      protections: ['tee'],
      split: { contributorsBps: 7_000, treasuryBps: 1_500, runnerBps: 1_000, protocolBps: 500 },
      holderSetId: holderSet.id,
      appraisal: {
        version: 1,
        profiles: ['software-dev'],
        measurements: [endpoints.runnerMeasurement],
        resultTermMs: LIMITS.jobTermMs,
      },
      verifierThreshold: 2,
      maxJobTermMs: LIMITS.jobTermMs,
      ...DEFAULT_DATA_RULES,
      onRevocation: 'finish',
      ...change,
    },
  });
  const dataset = await founder.client.datasets.create({
    key: 'dataset',
    daoId: dao.id,
    title: 'Field notes',
    description: 'Logs and handbooks.',
  });
  return { founder, dao, dataset };
}

export interface Contributor extends Player {
  readonly contributionId: ContributionId;
  readonly grant: GrantView;
}

/** Contribute a text, have it accepted and grant its use. */
export async function contributor(
  endpoints: Endpoints,
  { founder, dataset }: Founded,
  fileName: string,
  text: string,
  player: Player = newPlayer(endpoints),
): Promise<Contributor> {
  const contributionId = await contributeText(player, dataset.id, fileName, text);
  await founder.client.datasets.accept(contributionId);
  const grant = await giveGrant(player, contributionId);
  return { ...player, contributionId, grant };
}

export async function contributeText(
  player: Player,
  datasetId: DatasetId,
  fileName: string,
  text: string,
): Promise<ContributionId> {
  const { contributionId } = await player.client.contributions.contribute(textFile(datasetId, fileName, text));
  return contributionId;
}

/** As `contribute` and `storeTogether` take it. */
export function textFile(datasetId: DatasetId, fileName: string, text: string): ContributeParams {
  const bytes = utf8(text);
  const source = async function* (): AsyncGenerator<Uint8Array, void> {
    yield bytes;
  };
  return { key: fileName, datasetId, fileName, sizeBytes: bytes.length, source };
}

export const giveGrant = (player: Player, contributionId: ContributionId): Promise<GrantView> =>
  player.client.grants.give({
    contributionId,
    terms: {
      purposes: [PURPOSE],
      kinds: ['rag'],
      protections: ['tee'],
      priceFloorUnits: asAmount(1n),
      budgetMicroEpsilon: 0n,
      expiresAtMs: (systemClock.nowMs() + 86_400_000) as GrantView['terms']['expiresAtMs'],
    },
  });

/** An enterprise with money, and a funded session. */
export async function fundedSession(
  endpoints: Endpoints,
  datasetId: DatasetId,
  maxQuestions: number,
  balanceUnits: bigint = PRICE_UNITS * BigInt(maxQuestions),
): Promise<{ player: Player; jobId: JobId; session: ReturnType<UsufructClient['jobs']['session']> }> {
  const player = newPlayer(endpoints);
  await mint(player, balanceUnits);
  const job = await player.client.jobs.fund({
    key: 'session',
    datasetId,
    purpose: PURPOSE,
    maxQuestions,
    termMs: LIMITS.sessionTermMs,
  });
  return { player, jobId: job.id, session: player.client.jobs.session(job.id) };
}
