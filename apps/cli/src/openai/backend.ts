import type { DatasetId, JobId } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';
import {
  verifyReceipt,
  type Asker,
  type InspectedRunner,
  type KnownReceipt,
  type ListedDataset,
  type ReceiptEvidence,
  type UsufructClient,
} from '@usufruct/sdk';
import type { Verdict } from '@usufruct/kernel';

/** What a local endpoint for programs stands on: the OpenAI form and the tools for agents are two faces of it. */
export interface Backend {
  readonly asker: Pick<Asker, 'ask' | 'currentSession' | 'receipt' | 'receipts' | 'spending'>;
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
