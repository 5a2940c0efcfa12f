import { seal, verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import { encodeOpenings, openingsAnswerInfo, OpeningsQueryBcs, TAGS, type OpeningsQuery } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { requireFresh } from '../freshness.js';
import { mapSome } from '../reads.js';
import { activeRunner } from './active-runner.js';

/**
 * Give a settler the openings that this holder has of the receipts that it names, sealed to its attested key: any active
 * runner of the DAO, because several may have answered for it and one divides for all. A request that somebody else
 * repeats is answered with what only that runner can open. A row that does not open is left out and counted in the log:
 * whoever has that opening can hand it over again.
 *
 * Refuses `INVALID_ARGUMENT` (not fresh), `NOT_FOUND` (the DAO), `SIGNATURE_INVALID`, `RUNNER_NOT_REGISTERED`,
 * `RATE_LIMITED`.
 */
export async function queryOpenings(holder: Holder, query: OpeningsQuery): Promise<{ sealedOpenings: string }> {
  const { daoId, receiptDigests, issuedAtMs } = query;
  requireFresh(holder, issuedAtMs);
  const { chainId } = await holder.chain.info();
  const holderSigningKey = holder.keys.signing.publicKey;
  const message = OpeningsQueryBcs.serialize({
    chainId,
    daoId,
    receiptDigests,
    holderSigningKey,
    issuedAtMs,
  }).toBytes();
  const publicKey = fromBase64(query.runnerSigningKey, 'runnerSigningKey');
  const signature = fromBase64(query.signature, 'signature');
  if (!(await verify({ publicKey, domainTag: TAGS.openingsQuery, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { field: 'signature' });
  }
  const runner = await activeRunner(holder, await holder.chain.dao(daoId), publicKey, holder.clock.nowMs());
  holder.payoutRequestsPerRunner.take(runner.signingPublicKey, 'requests of one runner');
  const found = await mapSome(receiptDigests, (digest) => holder.openings.find(daoId, digest));
  const broken = receiptDigests.filter((digest, i) => found[i] === null && holder.openings.has(digest)).length;
  if (broken > 0) holder.logger.error('opening.unreadable', { daoId, openings: broken });
  const sealed = await seal({
    recipientPublicKey: fromBase64(runner.hpkePublicKey),
    info: openingsAnswerInfo(message),
    aad: new Uint8Array(),
    plaintext: encodeOpenings(found.flatMap((one) => (one === null ? [] : [one.opening]))),
  });
  return { sealedOpenings: toBase64(sealed) };
}
