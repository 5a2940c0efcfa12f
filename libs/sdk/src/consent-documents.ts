import {
  consentReceipt,
  consentReceiptStatement,
  consentFactsOf,
  signedConsentReceipt,
  verifyConsentReceipt,
  type ConsentFacts,
  type JsonObject,
  type Stated,
} from '@usufruct/consent';
import { verifyWalletSignature } from '@usufruct/crypto';
import { refuse, type GrantId, type Verdict } from '@usufruct/kernel';
import { walletStatementBytes } from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { allEvents } from './governance/history.js';

export interface ConsentReceiptParams {
  readonly grantId: GrantId;
  /** What the standard asks for and the chain does not know. */
  readonly stated?: Stated;
  /** Left out: the wallet signs where it is the grantor's. */
  readonly isUnsigned?: boolean;
}

/**
 * A consent receipt (ISO/IEC TS 27560 as DPV JSON-LD) of a grant, of what this client's own view of the chain says.
 * The grantor's wallet signs it; for anybody else it is an unsigned view. Reads every event, for the transactions.
 */
export async function issueConsentReceipt(
  context: ClientContext,
  { grantId, stated = {}, isUnsigned = false }: ConsentReceiptParams,
): Promise<JsonObject> {
  const facts = await consentFacts(context, grantId, stated);
  const { signer } = context;
  if (isUnsigned || signer.address !== facts.grant.grantor) return consentReceipt(facts);
  const message = walletStatementBytes(consentReceiptStatement(facts));
  return signedConsentReceipt(facts, await signer.signPersonalMessage(message));
}

/** Judge a receipt; `isOnline` also reads the grant from this client's chain and compares. */
export async function judgeConsentReceipt(
  { chain }: Pick<ClientContext, 'chain'>,
  document: JsonObject,
  options: { readonly isUnsignedAllowed?: boolean } = {},
): Promise<Verdict> {
  const facts = consentFactsOf(document);
  const here = (await chain.info()).chainId;
  if (facts !== null && facts.chain.chainId !== here) {
    throw refuse('INVALID_ARGUMENT', { field: 'receipt', expected: `a receipt of the chain ${here}` });
  }
  return judgeOffline(document, {
    ...options,
    ...(facts !== null && { grantNow: await chain.grant(facts.grant.id) }),
  });
}

type Options = Omit<Parameters<typeof verifyConsentReceipt>[1], 'verifySignature'>;
/** The same without a chain: needs no client and no network. */
export const judgeOffline = (document: JsonObject, options: Options = {}): Promise<Verdict> =>
  verifyConsentReceipt(document, { ...options, verifySignature: verifyWalletSignature });

async function consentFacts(context: ClientContext, grantId: GrantId, stated: Stated): Promise<ConsentFacts> {
  const { chain, clock } = context;
  const grant = await chain.grant(grantId);
  const contribution = await chain.contribution(grant.contributionId);
  const [info, dataset, events] = await Promise.all([
    chain.info(),
    chain.dataset(contribution.datasetId),
    eventsOfGrant(context, grantId),
  ]);
  const { chainId, packageId, coin, standIn } = info;
  const { id, datasetId, owner, manifestDigest, policyDigest, parts, manifestBlob } = contribution;
  const storedUntilEpoch = Math.min(...[manifestBlob, ...parts].map(({ endEpoch }) => endEpoch));
  return {
    chain: { chainId, packageId, coin, standIn },
    grant,
    contribution: { id, datasetId, owner, manifestDigest, policyDigest, storedUntilEpoch },
    daoId: dataset.daoId,
    ...events,
    stated,
    issuedAtMs: clock.nowMs(),
  };
}

type GrantEvents = Pick<ConsentFacts, 'given' | 'revoked'>;
/** The grant's own times are the events'; a grant whose event is not there yet is not to be receipted. */
async function eventsOfGrant(context: ClientContext, grantId: GrantId): Promise<GrantEvents> {
  let given: GrantEvents['given'] | undefined;
  let revoked: GrantEvents['revoked'] = null;
  for await (const { data, transaction } of allEvents(context)) {
    if (data.type === 'GrantGiven' && data.grant.id === grantId) given = { transaction, atMs: data.grant.givenAtMs };
    if (data.type === 'GrantRevoked' && data.grantId === grantId) revoked = { transaction, atMs: data.revokedAtMs };
  }
  if (given === undefined) throw refuse('NOT_FOUND', { object: 'event of the grant', grantId });
  return { given, revoked };
}
