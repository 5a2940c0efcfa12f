import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  asTimestampMs,
  fromHex,
  refuse,
  toHex,
  utf8,
  type Address,
  type Clock,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import { verifyWalletSignature } from '@usufruct/crypto';
import { signInText, TAGS } from '@usufruct/protocol';
import { ChainIdentity } from '../chain/index.js';
import type { Config } from '../config/config.js';
import { isUniqueViolation, PrismaService, toDate } from '../prisma/index.js';
import { CLOCK, CONFIG, RANDOM } from '../tokens.js';
import { deriveKey } from './keys.js';

const TERM_MS = 5 * 60_000;
const RANDOM_BYTES = 16;
const MAC_BYTES = 16;
const TIME_BYTES = 6;
const NONCE = new RegExp(`^[0-9a-f]{${2 * (TIME_BYTES + RANDOM_BYTES + MAC_BYTES)}}$`);

export interface Challenge {
  readonly message: string;
  readonly nonce: string;
  readonly expiresAtMs: TimestampMs;
}

/**
 * Sign-in challenges. The nonce is issue time ‖ random ‖ MAC(address, time, random): issuing one writes nothing, so
 * nobody without a wallet can fill the database. Answering one is an insert under a unique key: of two answers at the
 * same time one wins.
 */
@Injectable()
export class Challenges {
  private readonly key: Uint8Array;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: RandomSource,
    private readonly chain: ChainIdentity,
    private readonly prisma: PrismaService,
  ) {
    this.key = deriveKey(config.authSecret, 'sign-in-challenge');
  }

  async issue(address: Address): Promise<Challenge> {
    const issuedAtMs = this.clock.nowMs();
    const head = toHex(timeBytes(issuedAtMs)) + toHex(this.random(RANDOM_BYTES));
    return this.challenge(address, head + toHex(this.mac(address, head)), issuedAtMs);
  }

  /**
   * Refuses `CHALLENGE_UNKNOWN` (not issued here, or for another address), `CHALLENGE_EXPIRED`, `SIGNATURE_INVALID`
   * and, atomically, `CHALLENGE_USED`. A wrong signature does not use the challenge up.
   */
  async answer(address: Address, nonce: string, signature: string): Promise<void> {
    const issuedAtMs = this.issuedAt(address, nonce);
    const challenge = await this.challenge(address, nonce, issuedAtMs);
    const now = this.clock.nowMs();
    if (now >= challenge.expiresAtMs || now < issuedAtMs) throw refuse('CHALLENGE_EXPIRED');
    await verifyWalletSignature({ address, message: utf8(challenge.message), signature });
    await this.prisma.answeredChallenge.deleteMany({ where: { expiresAt: { lt: toDate(now) } } });
    try {
      await this.prisma.answeredChallenge.create({ data: { nonce, expiresAt: toDate(challenge.expiresAtMs) } });
    } catch (error) {
      throw isUniqueViolation(error) ? refuse('CHALLENGE_USED') : error;
    }
  }

  private issuedAt(address: Address, nonce: string): TimestampMs {
    if (!NONCE.test(nonce)) throw refuse('CHALLENGE_UNKNOWN');
    const head = nonce.slice(0, -2 * MAC_BYTES);
    const given = fromHex(nonce.slice(-2 * MAC_BYTES));
    if (!timingSafeEqual(given, this.mac(address, head))) throw refuse('CHALLENGE_UNKNOWN');
    return asTimestampMs(Number.parseInt(head.slice(0, 2 * TIME_BYTES), 16));
  }

  private mac(address: Address, head: string): Uint8Array {
    return createHmac('sha256', this.key).update(`${TAGS.signIn}:${address}:${head}`).digest().subarray(0, MAC_BYTES);
  }

  private async challenge(address: Address, nonce: string, issuedAtMs: TimestampMs): Promise<Challenge> {
    const expiresAtMs = asTimestampMs(issuedAtMs + TERM_MS);
    const message = signInText({
      domain: this.config.signInDomain,
      address,
      nonce,
      issuedAt: new Date(issuedAtMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
      chainId: (await this.chain.info()).chainId,
    });
    return { message, nonce, expiresAtMs };
  }
}

function timeBytes(ms: TimestampMs): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(ms));
  return bytes.subarray(8 - TIME_BYTES);
}
