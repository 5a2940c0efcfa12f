import { UsufructError, type DatasetId, type JobId } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';
import {
  askSeveral,
  verifyReceipt,
  type Asker,
  type AskParams,
  type AskSeveralParams,
  type InspectedRunner,
  type KnownReceipt,
  type ListedDataset,
  type PaidAnswer,
  type ReceiptEvidence,
  type RefusalEvidence,
  type SeveralAnswers,
  type UsufructClient,
} from '@usufruct/sdk';
import type { Verdict } from '@usufruct/kernel';

/** What a local endpoint for programs stands on: the OpenAI form and the tools for agents are two faces of it. */
export interface Backend {
  readonly asker: Pick<
    Asker,
    'ask' | 'priceNow' | 'makeRoom' | 'currentSession' | 'receipt' | 'receipts' | 'spending' | 'maxPriceUnits'
  >;
  readonly coin: ChainInfo['coin'];
  /** What of this system only stands in for something, as far as it is known without asking a runner. */
  readonly standIns: readonly string[];
  datasets(): Promise<readonly ListedDataset[]>;
  judgedReceipt(known: KnownReceipt): Promise<{ readonly evidence: ReceiptEvidence; readonly verdict: Verdict }>;
  inspect(jobId: JobId, nonce: Uint8Array): Promise<InspectedRunner>;
}

interface BackendParams {
  readonly client: UsufructClient;
  readonly asker: Asker;
  readonly standIns: readonly string[];
  /** The only datasets that are served; all that the catalogue lists where there are none. */
  readonly only: readonly DatasetId[];
}

const CATALOGUE_TERM_MS = 30_000;

export async function backendOf({ client, asker, standIns, only }: BackendParams): Promise<Backend> {
  const { coin, standIn } = await client.chain.info();
  const all = new Set([...standIns, ...(standIn ? ['local chain'] : [])]);
  let listed: { readonly atMs: number; readonly datasets: Promise<readonly ListedDataset[]> } | null = null;
  return {
    asker,
    coin,
    standIns: [...all],
    datasets: async () => {
      if (listed === null || performance.now() - listed.atMs > CATALOGUE_TERM_MS) {
        listed = { atMs: performance.now(), datasets: client.datasets.list() };
        listed.datasets.catch(() => (listed = null));
      }
      const datasets = await listed.datasets;
      return only.length === 0 ? datasets : datasets.filter(({ datasetId }) => only.includes(datasetId));
    },
    judgedReceipt: async ({ jobId, questionId }) => {
      const evidence = await client.receipts.collectSettled(jobId, questionId);
      return { evidence, verdict: await verifyReceipt(evidence) };
    },
    inspect: (jobId, nonce) => client.jobs.session(jobId).inspect({ nonce }),
  };
}

/** With what the runner of an answer has said of itself. */
export const standInsOf = (known: readonly string[], { runner }: ReceiptEvidence): string[] => [
  ...new Set([...known, ...(runner?.profile === 'software-dev' ? ['software TEE'] : [])]),
];

/** What a runner has signed about refusals that were thrown here. */
const signedRefusals = new WeakMap<UsufructError, RefusalEvidence>();

/** Ask, and keep the runner's signed word where it refuses. */
export async function askKeepingRefusals(asker: Backend['asker'], params: AskParams): Promise<PaidAnswer> {
  let signed: RefusalEvidence | null = null;
  const onRefusal = (evidence: RefusalEvidence): void => void (signed = evidence);
  try {
    return await asker.ask(params, { onRefusal });
  } catch (error) {
    if (signed !== null && error instanceof UsufructError) signedRefusals.set(error, signed);
    throw error;
  }
}

/** Ask each, and keep the runners' signed words where they refuse. */
export async function askEachKeepingRefusals(
  asker: Backend['asker'],
  params: AskSeveralParams,
): Promise<SeveralAnswers> {
  const several = await askSeveral(asker, params);
  for (const part of several.parts) {
    if (part.error !== null && part.refusal !== null) signedRefusals.set(part.error, part.refusal);
  }
  return several;
}

/** A refusal and its signature, base64, that say that nothing was charged; null where no runner has signed one. */
export function signedRefusalOf(error: unknown): { readonly refusal: string; readonly signature: string } | null {
  const evidence = error instanceof UsufructError ? signedRefusals.get(error) : undefined;
  return evidence === undefined ? null : { refusal: evidence.refusal, signature: evidence.signature };
}
