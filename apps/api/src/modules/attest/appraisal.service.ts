import { Inject, Injectable } from '@nestjs/common';
import { signResult, type AppraisalDesk, type DeskAnswer, type SignedResult } from '@usufruct/attestation';
import type { Chain } from '@usufruct/chain';
import { signingPublicKey, type SigningKey } from '@usufruct/crypto';
import { toBase64, type Clock, type Logger } from '@usufruct/kernel';
import { clientChallenge } from '@usufruct/protocol';
import { deriveKey } from '../../platform/auth/index.js';
import type { Config } from '../../platform/config/config.js';
import { APPRAISAL_DESK, CHAIN, CLOCK, CONFIG, LOGGER } from '../../platform/tokens.js';
import type { AppraisalType } from './appraisal.types.js';
import type { Attestation } from './attest.types.js';

/** The API as a verifier (RFC 9334), for clients that have no endorsements or cannot appraise at all. */
@Injectable()
export class AppraisalService {
  private readonly key: SigningKey;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'authSecret'>,
    @Inject(APPRAISAL_DESK) private readonly desk: AppraisalDesk,
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const secretKey = deriveKey(config.authSecret, 'attestation-verifier');
    this.key = { secretKey, publicKey: signingPublicKey(secretKey) };
  }

  /** The policy is read from the chain, not from the projection: a measurement withdrawn a second ago is not in it. */
  async appraise({ jobId, nonce, evidence }: Attestation['asked']): Promise<AppraisalType> {
    const { daoId } = await this.chain.job(jobId);
    const dao = await this.chain.dao(daoId);
    const nowMs = this.clock.nowMs();
    const answer = await this.desk.appraise({
      bundle: evidence,
      ownChallenge: clientChallenge(nonce),
      jobId,
      dao,
      nowMs,
    });
    const { missing } = answer;
    if (missing.length > 0) this.logger.warn('appraisal.endorsements_missing', { jobId, missing });
    return toAppraisal(answer, await signResult(answer.result, nowMs, this.key, answer.endorsements));
  }
}

function toAppraisal(
  { result, standIn, missing, endorsements, teePolicy }: DeskAnswer,
  signed: SignedResult,
): AppraisalType {
  const { ok, checks, claims, policyDigest, expiresAtMs } = result;
  return {
    ok,
    checks,
    policyDigest,
    expiresAtMs,
    standIn,
    cpu: claims?.cpu ?? null,
    gpu: claims?.gpu ?? null,
    binding: claims?.binding ?? null,
    missing,
    endorsements: Object.entries(endorsements).map(([name, bytes]) => ({ name, bytes: toBase64(bytes) })),
    teePolicy: teePolicy === undefined ? null : JSON.stringify(teePolicy),
    signed,
  };
}
