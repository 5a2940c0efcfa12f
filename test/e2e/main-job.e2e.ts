import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asBlobId, fromHex, sumUnits, toBase64Url, type Address } from '@usufruct/kernel';
import type { Asked } from '@usufruct/sdk';
import { httpBlobStore } from '@usufruct/walrus';
import { FRIDGE_LOG, HANDBOOK, HARVEST, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  found,
  fundedSession,
  newPlayer,
  PRICE_UNITS,
  textFile,
  type Contributor,
  type Founded,
} from '../support/players.js';
import { startTestSystem } from '../support/system.js';

const SESSION_QUESTIONS = 3;

let system: Awaited<ReturnType<typeof startTestSystem>>;
beforeAll(async () => {
  system = await startTestSystem();
}, 240_000);
afterAll(() => system?.stop(), 120_000);

describe('the main job: contribute, ask, get paid', () => {
  let dao: Founded;
  let fridge: Contributor;
  let handbook: Contributor;
  let harvest: Contributor;
  let enterprise: Awaited<ReturnType<typeof fundedSession>>;
  let first: Asked;

  beforeAll(async () => {
    dao = await found(system.endpoints);
    // Together with another file of theirs, so in a quilt; the others' files are blobs of their own.
    const player = newPlayer(system.endpoints);
    const files = [textFile(dao.dataset.id, 'fridge.txt', FRIDGE_LOG), textFile(dao.dataset.id, 'later.txt', 'Later.')];
    await player.client.contributions.storeTogether(files);
    fridge = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG, player);
    handbook = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
    harvest = await contributor(system.endpoints, dao, 'harvest.txt', HARVEST);
    enterprise = await fundedSession(system.endpoints, dao.dataset.id, SESSION_QUESTIONS);
  }, 240_000);

  const treasury = async () => dao.founder.client.chain.balanceOf(dao.dao.treasury);
  const protocol = async () =>
    dao.founder.client.chain.balanceOf((await dao.founder.client.chain.info()).protocolAccount);

  it('answers from two documents, with citations and a receipt of which every check passes', async () => {
    const shown: string[] = [];
    for await (const event of enterprise.session.askStream({ key: 'first', text: QUESTION })) {
      if (event.kind === 'sentence') shown.push(event.sentence.shown);
      if (event.kind === 'answer') first = event.asked;
    }
    expect(shown.join(' ')).toBe(first.answer.text);
    const cited = new Set(first.answer.citations.map(({ contributionId }) => contributionId));
    expect(cited).toEqual(new Set([fridge.contributionId, handbook.contributionId]));
    expect(first.answer.generator).toBe('extractive');
    expect(first.answer.text).toContain('battery voltage fell below 11.4 volts');
    expect(first.answer.text).toContain('within thirty days');
    expect(first.verdict.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  });

  it('has let its pieces through the API, which saw how long they are', async () => {
    const path = `/v1/jobs/${enterprise.jobId}/questions/${first.questionId}/stream?after=0`;
    const response = await enterprise.player.client.api.open(path, AbortSignal.timeout(10_000));
    const lines = (await response!.text()).trim().split('\n');
    expect(lines.map((line: string) => JSON.parse(line).kind)).toEqual([
      ...first.answer.sentences.map(() => 'record'),
      'record',
    ]);
    expect(lines.join('')).not.toContain('volts');
  });

  it('has read one of them, and its manifest, out of quilts', async () => {
    const store = httpBlobStore(system.endpoints);
    const { parts, manifestBlob } = await dao.founder.client.chain.contribution(fridge.contributionId);
    for (const { blob, sizeBytes } of [...parts, manifestBlob]) {
      const quilt = await store.get(asBlobId(toBase64Url(fromHex(blob))));
      expect(quilt.length).toBeGreaterThan(sizeBytes);
    }
  });

  it('pays everybody to the last unit, and the unused nothing', async () => {
    // 1,000,003 × 70 / 15 / 10 / 5 % = 700,002.10 / 150,000.45 / 100,000.30 / 50,000.15; the floors leave one unit,
    // which goes to the largest remainder: the treasury.
    expect(await treasury()).toBe(150_001n);
    expect(await protocol()).toBe(50_000n);
    const earned = [await balanceOf(fridge), await balanceOf(handbook)];
    expect(sumUnits(earned)).toBe(700_002n);
    for (const part of earned) expect(part).toBeGreaterThan(0n);
    expect(await balanceOf(harvest)).toBe(0n);
    const job = await enterprise.session.onChain();
    expect(job.escrowUnits).toBe(PRICE_UNITS * 2n);
    expect(job.questionsSettled).toBe(1);
  });

  it('gives the same answer for the same key, and charges once', async () => {
    const again = await enterprise.session.ask({ key: 'first', text: QUESTION });
    expect(again.questionId).toBe(first.questionId);
    expect((await enterprise.session.onChain()).questionsSettled).toBe(1);
    await expect(enterprise.session.ask({ key: 'first', text: 'another question' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  it('shows the contributor who got its key, in the log of every holder that released', async () => {
    const holders = await fridge.client.contributions.releases(fridge.contributionId);
    expect(holders.map(({ error }) => error)).toEqual([null, null, null]);
    const released = holders.flatMap(({ entries }) => entries).filter(({ decision }) => decision === 'RELEASED');
    expect(released.length).toBeGreaterThanOrEqual(2);
    for (const leaf of released) {
      expect(leaf.jobId).toBe(enterprise.jobId);
      expect(leaf.grantId).toBe(fridge.grant.id);
      expect(leaf.measurement).toBe(system.endpoints.runnerMeasurement);
    }
  });

  it('cannot use a document after its grant was revoked, in the same session', async () => {
    await fridge.client.grants.revoke(fridge.grant.id);
    const earnedBefore = await balanceOf(fridge);
    const next = await enterprise.session.ask({ key: 'after revocation', text: QUESTION });
    expect(next.answer.citations.map(({ contributionId }) => contributionId)).not.toContain(fridge.contributionId);
    expect(next.answer.text).not.toContain('compressor');
    expect(await balanceOf(fridge)).toBe(earnedBefore);
  });

  it('cannot use it in a new session either: no holder releases its share', async () => {
    const later = await fundedSession(system.endpoints, dao.dataset.id, 1);
    const next = await later.session.ask({ key: 'q', text: QUESTION });
    expect(next.answer.citations.map(({ contributionId }) => contributionId)).not.toContain(fridge.contributionId);
    const { leftOut } = await later.session.progress();
    expect(leftOut).toContainEqual({ contributionId: fridge.contributionId, code: 'GRANT_REVOKED' });
  });

  it('refunds what was not spent, and every balance and the ledger agree', async () => {
    const closed = await enterprise.session.close();
    // Two of three questions were answered: a job that did some work has succeeded, not been cancelled.
    expect(closed.state).toBe('succeeded');
    expect(await balanceOf(enterprise.player)).toBe(PRICE_UNITS);
    const { agrees, mismatches } = await reconciled(PRICE_UNITS * 4n);
    expect(mismatches).toEqual([]);
    expect(agrees).toBe(true);
  });

  /** Everything that was ever minted lies somewhere: with the players, the treasury, the protocol or the runner. */
  async function reconciled(minted: bigint) {
    const { chain } = dao.founder.client;
    const runners = new Set<Address>();
    for (const event of await chain.events(0))
      if (event.data.type === 'RunnerRegistered') runners.add(event.data.runner.payTo);
    const parts = [
      await treasury(),
      await protocol(),
      ...(await Promise.all([...runners].map((account) => chain.balanceOf(account)))),
      ...(await Promise.all([fridge, handbook, harvest, enterprise.player, dao.founder].map(balanceOf))),
    ];
    expect(sumUnits(parts)).toBe(minted);
    return dao.founder.client.payouts.reconcile();
  }
});

describe('bad input at the borders of the real system', () => {
  let dao: Founded;
  beforeAll(async () => {
    dao = await found(system.endpoints);
  }, 240_000);

  it('refuses another wallet: accepting, granting and revoking are the founder’s and the owner’s', async () => {
    const owner = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    const stranger = newPlayer(system.endpoints);
    const before = await owner.client.chain.grant(owner.grant.id);
    await expect(stranger.client.grants.revoke(owner.grant.id)).rejects.toMatchObject({ code: 'WRONG_WALLET' });
    await expect(stranger.client.datasets.decline(owner.contributionId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(
      stranger.client.grants.give({ contributionId: owner.contributionId, terms: owner.grant.terms }),
    ).rejects.toMatchObject({ code: 'WRONG_WALLET' });
    expect(await owner.client.chain.grant(owner.grant.id)).toEqual(before);
  });

  it.each([
    ['empty.txt', 0, 'FILE_EMPTY'],
    ['huge.txt', 14 * 1024 ** 3, 'FILE_TOO_LARGE'],
    ['film.mkv', 10, 'FORMAT_UNKNOWN'],
    ['noending', 10, 'FORMAT_UNKNOWN'],
  ])('refuses the file %s before anything is sent', async (fileName, sizeBytes, code) => {
    const player = newPlayer(system.endpoints);
    const source = () => {
      throw new Error('was read');
    };
    const contributing = player.client.contributions.contribute({
      key: 'k',
      datasetId: dao.dataset.id,
      fileName,
      sizeBytes,
      source,
    });
    await expect(contributing).rejects.toMatchObject({ code });
    expect(await player.journal.keys('')).toEqual([]);
  });

  it('leaves out a file of which one byte was changed in the store, and charges nothing for it', async () => {
    const alone = await found(system.endpoints);
    const owner = await contributor(system.endpoints, alone, 'fridge.txt', FRIDGE_LOG);
    const { parts } = await owner.client.chain.contribution(owner.contributionId);
    const blobId = Buffer.from(parts[0]!.blob.slice(2), 'hex').toString('base64url');
    const stored = readdirSync(join(system.home, 'store'), { recursive: true, encoding: 'utf8' });
    const path = join(
      system.home,
      'store',
      stored.find((file) => file.includes(blobId) && file.endsWith('.blob'))!,
    );
    const bytes = readFileSync(path);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);

    const whole = await contributor(system.endpoints, alone, 'handbook.md', HANDBOOK);
    const enterprise = await fundedSession(system.endpoints, alone.dataset.id, 1);
    const { answer } = await enterprise.session.ask({ key: 'q', text: QUESTION });
    expect(answer.citations.map(({ contributionId }) => contributionId)).not.toContain(owner.contributionId);
    const { leftOut } = await enterprise.session.progress();
    expect(leftOut).toEqual([{ contributionId: owner.contributionId, code: 'BLOB_MISMATCH' }]);
    // Whoever brought the other document gets the contributors' part alone: 700,002 of 1,000,003.
    expect([await balanceOf(owner), await balanceOf(whole)]).toEqual([0n, 700_002n]);
    // The runner reads it again for a quarter of a minute: another aggregator may still have the right bytes.
  }, 240_000);

  it('locks nothing when the money does not suffice', async () => {
    await expect(fundedSession(system.endpoints, dao.dataset.id, 2, PRICE_UNITS)).rejects.toMatchObject({
      code: 'INSUFFICIENT_BALANCE',
    });
  });
});
