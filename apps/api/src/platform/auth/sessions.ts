import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  asId,
  asTimestampMs,
  refuse,
  toBase64Url,
  type Address,
  type Clock,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import { jwtVerify, SignJWT } from 'jose';
import type { Config } from '../config/config.js';
import { PrismaService, toDate, toMs, type Database } from '../prisma/index.js';
import { CLOCK, CONFIG, RANDOM } from '../tokens.js';
import { deriveKey, secretHash } from './keys.js';
import type { Viewer } from './viewer.js';

const ACCESS_TERM_MS = 10 * 60_000;
const SESSION_TERM_MS = 30 * 24 * 60 * 60_000;
const AUDIENCE = 'usufruct-api';

export interface OpenSession {
  readonly address: Address;
  readonly accessToken: string;
  readonly accessTokenExpiresAtMs: TimestampMs;
  readonly refreshToken: string;
  readonly refreshTokenExpiresAtMs: TimestampMs;
}

/**
 * A session is one sign-in. Its access tokens live ten minutes; its refresh token is good for one use and is replaced
 * by it. A refresh token that comes twice was copied by someone: the whole session ends.
 */
@Injectable()
export class Sessions {
  private readonly key: Uint8Array;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: RandomSource,
    private readonly prisma: PrismaService,
  ) {
    this.key = deriveKey(config.authSecret, 'access-token');
  }

  async open(address: Address): Promise<OpenSession> {
    const now = this.clock.nowMs();
    const expiresAtMs = asTimestampMs(now + SESSION_TERM_MS);
    const id = randomUUID();
    const refreshToken = await this.prisma.$transaction(async (tx) => {
      await tx.session.create({ data: { id, address, createdAt: toDate(now), expiresAt: toDate(expiresAtMs) } });
      return this.newRefreshToken(tx, id, now);
    });
    return this.issue(id, address, refreshToken, now, expiresAtMs);
  }

  /** Refuses `TOKEN_REUSED` and closes the session, or `UNAUTHENTICATED` for a token that means nothing (any more). */
  async refresh(token: string): Promise<OpenSession> {
    const now = this.clock.nowMs();
    const hash = secretHash(token);
    const renewed = await this.prisma.$transaction(async (tx) => {
      const { count } = await tx.refreshToken.updateMany({
        where: { hash, usedAt: null },
        data: { usedAt: toDate(now) },
      });
      if (count === 0) return null;
      const { sessionId } = await tx.refreshToken.findUniqueOrThrow({ where: { hash } });
      const session = await tx.session.findUniqueOrThrow({ where: { id: sessionId } });
      if (session.closedAt !== null || toMs(session.expiresAt) <= now) throw refuse('UNAUTHENTICATED');
      return { session, refreshToken: await this.newRefreshToken(tx, sessionId, now) };
    });
    if (renewed === null) throw await this.refuseToken(hash, now);
    const { session, refreshToken } = renewed;
    return this.issue(session.id, asId(session.address, 'address'), refreshToken, now, toMs(session.expiresAt));
  }

  async close(sessionId: string): Promise<void> {
    await this.prisma.session.updateMany({
      where: { id: sessionId, closedAt: null },
      data: { closedAt: toDate(this.clock.nowMs()) },
    });
  }

  /** The viewer of an access token, or null. The session is looked up, so that signing out takes effect at once. */
  async viewerOf(accessToken: string): Promise<Viewer | null> {
    const claims = await this.verified(accessToken);
    if (claims === null) return null;
    const session = await this.prisma.session.findUnique({ where: { id: claims.sessionId } });
    if (session === null || session.closedAt !== null || toMs(session.expiresAt) <= this.clock.nowMs()) return null;
    return { address: asId(session.address, 'address'), scopes: null, sessionId: session.id };
  }

  private async verified(token: string): Promise<{ sessionId: string } | null> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        issuer: this.config.signInDomain,
        currentDate: new Date(this.clock.nowMs()),
        requiredClaims: ['exp', 'sid'],
      });
      return typeof payload['sid'] === 'string' ? { sessionId: payload['sid'] } : null;
    } catch {
      return null; // expired, forged or no token at all: to the caller all the same
    }
  }

  private async refuseToken(hash: string, now: TimestampMs): Promise<Error> {
    const known = await this.prisma.refreshToken.findUnique({ where: { hash } });
    if (known === null) return refuse('UNAUTHENTICATED');
    await this.prisma.session.updateMany({
      where: { id: known.sessionId, closedAt: null },
      data: { closedAt: toDate(now) },
    });
    return refuse('TOKEN_REUSED');
  }

  private async newRefreshToken(tx: Database, sessionId: string, now: TimestampMs): Promise<string> {
    const token = `usr_${toBase64Url(this.random(32))}`;
    await tx.refreshToken.create({ data: { hash: secretHash(token), sessionId, issuedAt: toDate(now) } });
    return token;
  }

  private async issue(
    sessionId: string,
    address: Address,
    refreshToken: string,
    now: TimestampMs,
    refreshTokenExpiresAtMs: TimestampMs,
  ): Promise<OpenSession> {
    const expiresAtS = Math.floor((now + ACCESS_TERM_MS) / 1000);
    const accessToken = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(address)
      .setIssuer(this.config.signInDomain)
      .setAudience(AUDIENCE)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(expiresAtS)
      .sign(this.key);
    const accessTokenExpiresAtMs = asTimestampMs(expiresAtS * 1000);
    return { address, accessToken, accessTokenExpiresAtMs, refreshToken, refreshTokenExpiresAtMs };
  }
}
