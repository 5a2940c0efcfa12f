import { refuse, type Digest, type HolderSetId } from '@usufruct/kernel';
import {
  CERTIFICATES_PER_PAGE,
  LIMITS,
  parseAnswer,
  reshareResultDigest,
  zAcknowledgement,
  zCertificateAnswer,
  zCertificates,
  zDealAnswer,
  zHolderIdentity,
  zHoldings,
  zParts,
  zSignedSealingKey,
  zSubSharesAnswer,
  type Acknowledgement,
  type AcknowledgeRequest,
  type CertificateAnswer,
  type DealAnswer,
  type DealRequest,
  type Holding,
  type ReshareCertificate,
  type ResharePart,
  type SignedSealingKey,
  type SubSharesAnswer,
  type SubSharesRequest,
} from '@usufruct/protocol';
import { fromBase64, toUsufructError } from '@usufruct/kernel';
import { requestJson } from '../api/http.js';
import type { ClientContext } from '../context.js';

/** A batch is seconds of work for a holder. */
const TIMEOUT_MS = 120_000;

/** One key holder that answered, as a re-sharing speaks to it. Every call may refuse `UPSTREAM_*` and what it refuses. */
export interface ReshareHolder {
  readonly url: string;
  /** Base64, as the chain writes it. */
  readonly signingPublicKey: string;
  holdings(holderSetId: HolderSetId): Promise<Holding[]>;
  /** What it says of the key to seal to; whoever seals checks it. */
  sealingKey(): Promise<SignedSealingKey>;
  deal(request: DealRequest): Promise<DealAnswer>;
  subShares(request: SubSharesRequest): Promise<SubSharesAnswer>;
  certify(certificate: ReshareCertificate): Promise<CertificateAnswer>;
  certificates(holderSetId: HolderSetId): Promise<ReshareCertificate[]>;
  parts(holderSetId: HolderSetId): Promise<ResharePart[]>;
  acknowledge(request: AcknowledgeRequest): Promise<Acknowledgement>;
}

/** The holders that answer at these addresses for this chain; one key is one holder, whoever else claims it. */
export async function reachHolders(
  context: Pick<ClientContext, 'fetch'>,
  urls: readonly string[],
  chainId: string,
): Promise<ReshareHolder[]> {
  const answers = await Promise.allSettled([...new Set(urls)].map((url) => reach(context, url, chainId)));
  const found = new Map<string, ReshareHolder>();
  for (const answer of answers) {
    if (answer.status === 'fulfilled' && !found.has(answer.value.signingPublicKey)) {
      found.set(answer.value.signingPublicKey, answer.value);
    }
  }
  return [...found.values()];
}

async function reach({ fetch }: Pick<ClientContext, 'fetch'>, url: string, chainId: string): Promise<ReshareHolder> {
  const upstream = `key holder at ${url}`;
  const askOnce = (path: string, body?: unknown): Promise<unknown> =>
    requestJson({
      fetch,
      url: `${url}/v1/${path}`,
      upstream,
      timeoutMs: TIMEOUT_MS,
      ...(body !== undefined && { body }),
    });
  // A connection that was idle while others worked may be closed under the next request; twice is the same as once.
  const ask = (path: string, body?: unknown): Promise<unknown> =>
    askOnce(path, body).catch((error: unknown) => {
      if (toUsufructError(error).code !== 'UPSTREAM_UNAVAILABLE') throw error;
      return askOnce(path, body);
    });
  const identity = parseAnswer(zHolderIdentity, await ask('identity'), upstream);
  if (identity.chainId !== chainId) throw refuse('UPSTREAM_INVALID', { upstream, field: 'chainId' });
  return {
    url,
    signingPublicKey: identity.signingPublicKey,
    sealingKey: async () => parseAnswer(zSignedSealingKey, await ask('sealing-key'), upstream),
    deal: async (request) => parseAnswer(zDealAnswer, await ask('resharings/dealings', request), upstream),
    subShares: async (request) => parseAnswer(zSubSharesAnswer, await ask('resharings/sub-shares', request), upstream),
    certify: async (certificate) =>
      parseAnswer(zCertificateAnswer, await ask('resharings/certificates', certificate), upstream),
    holdings: (holderSetId) =>
      allPages(LIMITS.holdingsPerPage, (after) =>
        ask(`resharings/holdings?${query(holderSetId, after)}`)
          .then((body) => parseAnswer(zHoldings, body, upstream).holdings)
          .then((page) => ({ page, last: page.at(-1)?.manifestDigest })),
      ),
    acknowledge: async (request) =>
      parseAnswer(zAcknowledgement, await ask('resharings/acknowledgements', request), upstream),
    // A manifest may have several, so only an empty page says that there are no more.
    parts: (holderSetId) =>
      allPages(1, (after) =>
        ask(`resharings/parts?${query(holderSetId, after)}`)
          .then((body) => parseAnswer(zParts, body, upstream).parts)
          .then((page) => ({ page, last: page.at(-1)?.manifestDigest })),
      ),
    certificates: (holderSetId) =>
      allPages(CERTIFICATES_PER_PAGE, (after) =>
        ask(`resharings/certificates?${query(holderSetId, after)}`)
          .then((body) => parseAnswer(zCertificates, body, upstream).certificates)
          .then((page) => ({ page, last: lastResult(page) })),
      ),
  };
}

const query = (holderSetId: HolderSetId, after: Digest | undefined): string =>
  `holderSetId=${holderSetId}${after === undefined ? '' : `&after=${after}`}`;

const lastResult = (page: readonly ReshareCertificate[]): Digest | undefined => {
  const last = page.at(-1);
  return last === undefined ? undefined : reshareResultDigest(fromBase64(last.result, 'result'));
};

/** A holder that repeats itself is not asked for ever: pages go upwards. */
async function allPages<T>(
  size: number,
  read: (after: Digest | undefined) => Promise<{ readonly page: readonly T[]; readonly last: Digest | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let after: Digest | undefined; ;) {
    const { page, last } = await read(after);
    all.push(...page);
    if (page.length < size || last === undefined || (after !== undefined && last <= after)) return all;
    after = last;
  }
}
