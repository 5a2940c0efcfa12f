import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { LIMITS } from '@usufruct/protocol';
import { idOf, ManualClock, seededRandom, TEST_NOW_MS } from '@usufruct/testing';
import { ChallengeStore } from './challenges.js';
import { openDatabase } from './database.js';

it('challenges that are over keep nobody out; as many as may be open do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holder-challenges-'));
  const database = openDatabase(folder, 'me');
  const clock = new ManualClock(TEST_NOW_MS);
  const challenges = new ChallengeStore(database, clock, seededRandom('challenges'));
  database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO challenges SELECT 'flood-' || i, 'release', 'job', ${TEST_NOW_MS + LIMITS.challengeTermMs}, NULL FROM n`);
  const issue = () => challenges.issue('release', idOf('job'));
  expect(issue).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  clock.advance(LIMITS.challengeTermMs + 1);
  expect(issue).not.toThrow();
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
