import type { DatabaseSync } from 'node:sqlite';
import {
  asTimestampMs,
  refuse,
  toBase64,
  type Clock,
  type Hex32,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';

export type ChallengePurpose = 'release' | 'registration' | 'lease' | 'egress';

export interface ChallengeUse {
  /** Base64 of 32 bytes. */
  readonly challenge: string;
  readonly purpose: ChallengePurpose;
  /** The job, or the DAO, that it was issued for. */
  readonly subject: Hex32;
}

/** Kept for so long after its end, so that a late replay is told apart from an unknown challenge. */
const REMEMBERED_MS = 10 * 60_000;
/** More that are open at once are nobody's honest need. */
const OPEN_AT_MOST = 100_000;

/** This holder's own challenges: 32 random bytes, single use, 60 s, for one purpose and one subject. */
export class ChallengeStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly clock: Clock,
    private readonly random: RandomSource,
  ) {}

  issue(purpose: ChallengePurpose, subject: Hex32): { challenge: string; expiresAtMs: TimestampMs } {
    const nowMs = this.clock.nowMs();
    this.database.prepare('DELETE FROM challenges WHERE expires_at_ms < ?').run(nowMs - REMEMBERED_MS);
    // Those that are over are only remembered, and keep nobody out.
    const open = 'SELECT count(*) AS n FROM challenges WHERE expires_at_ms >= ?';
    const { n } = this.database.prepare(open).get(nowMs) as { n: number };
    if (n >= OPEN_AT_MOST) throw refuse('RATE_LIMITED', { limit: 'open challenges' });
    const challenge = toBase64(this.random(32));
    const expiresAtMs = asTimestampMs(nowMs + LIMITS.challengeTermMs);
    this.database
      .prepare('INSERT INTO challenges (challenge, purpose, subject, expires_at_ms) VALUES (?, ?, ?, ?)')
      .run(challenge, purpose, subject, expiresAtMs);
    return { challenge, expiresAtMs };
  }

  /**
   * Use it up, in one statement: of two requests at once one gets it. It is gone whatever becomes of the request.
   * Refuses `CHALLENGE_UNKNOWN` (not ours, or for another subject), `CHALLENGE_USED`, `CHALLENGE_EXPIRED`.
   */
  consume({ challenge, purpose, subject }: ChallengeUse): void {
    const nowMs = this.clock.nowMs();
    const { changes } = this.database
      .prepare(
        `UPDATE challenges SET consumed_at_ms = ? WHERE challenge = ? AND purpose = ? AND subject = ?
         AND consumed_at_ms IS NULL AND expires_at_ms >= ?`,
      )
      .run(nowMs, challenge, purpose, subject, nowMs);
    if (Number(changes) === 1) return;
    const known = this.database
      .prepare(
        'SELECT consumed_at_ms AS consumedAtMs FROM challenges WHERE challenge = ? AND purpose = ? AND subject = ?',
      )
      .get(challenge, purpose, subject) as { consumedAtMs: number | null } | undefined;
    if (known === undefined) throw refuse('CHALLENGE_UNKNOWN');
    throw refuse(known.consumedAtMs === null ? 'CHALLENGE_EXPIRED' : 'CHALLENGE_USED');
  }
}
