import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromBase64, type ContributionId } from '@usufruct/kernel';
import { toWireJson, TreeHeadBcs, zSignedTreeHead, type SignedTreeHead } from '@usufruct/protocol';
import { commandLineOf } from '../support/command-line.js';
import { FRIDGE_LOG, HANDBOOK, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  found,
  fundedSession,
  PURPOSE,
  type Contributor,
  type Founded,
} from '../support/players.js';
import { startTestSystem } from '../support/system.js';

const WAIT_MS = 90_000;

let system: Awaited<ReturnType<typeof startTestSystem>>;
beforeAll(async () => {
  system = await startTestSystem({ durable: true });
}, 240_000);
afterAll(() => system?.stop(), 120_000);

describe('one purpose is revoked', () => {
  it('of a grant that names a broader one: what has a part in it is refused, the rest is not', async () => {
    const dao = await found(system.endpoints, {
      purposes: [PURPOSE, 'dpv:AcademicResearch', 'dpv:ScientificResearch'],
    });
    const owner = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    const { grants } = owner.client;
    const plan = await grants.planRevocation({ purpose: 'dpv:AcademicResearch' });
    expect(plan).toMatchObject({ transactions: 1, steps: [{ grantId: owner.grant.id }] });
    const { revoked, given } = await grants.revokeByPlan(plan);
    expect([revoked, given.length]).toEqual([[owner.grant.id], 1]);
    const may = async (purpose: string) =>
      (await grants.explain(owner.contributionId, { purpose, kind: 'rag', protection: 'tee' })).allowed;
    expect([await may(PURPOSE), await may('dpv:AcademicResearch'), await may('dpv:ScientificResearch')]).toEqual([
      false,
      false,
      true,
    ]);
    expect((await grants.planRevocation({ purpose: 'dpv:AcademicResearch' })).steps).toEqual([]);
    const all = await grants.planRevocation({});
    await grants.revokeByPlan(all);
    expect(await may('dpv:ScientificResearch')).toBe(false);
  }, 240_000);
});

describe('a contribution is erased', () => {
  let dao: Founded;
  let fridge: Contributor;
  let handbook: Contributor;
  let enterprise: Awaited<ReturnType<typeof fundedSession>>;
  let wrapped: Uint8Array[];
  let entriesInBackup: number;

  const folderOf = (n: number): string => {
    const found = readdirSync(system.home, { recursive: true, encoding: 'utf8' }).find(
      (path) => path.includes(`holder-${n}`) && path.endsWith('key-holder.sqlite'),
    );
    return join(system.home, found!, '..');
  };
  const rowOf = (n: number, id: ContributionId): Uint8Array | undefined => {
    const database = new DatabaseSync(join(folderOf(n), 'key-holder.sqlite'), { readOnly: true, timeout: 10_000 });
    try {
      const row = database.prepare('SELECT encrypted FROM shares WHERE contribution_id = ?').get(id);
      return row?.['encrypted'] as Uint8Array | undefined;
    } finally {
      database.close();
    }
  };
  /** Whether these bytes are in any file of a holder, its write-ahead log included. */
  const onDisk = (n: number, bytes: Uint8Array): boolean =>
    readdirSync(folderOf(n), { recursive: true, withFileTypes: true }).some(
      (file) => file.isFile() && contentOf(join(file.parentPath, file.name)).includes(Buffer.from(bytes)),
    );
  /** The holder runs meanwhile, and replaces its keyring: a file may be gone that was just there. */
  const contentOf = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return Buffer.alloc(0);
    }
  };
  const cited = async (session: typeof enterprise.session, key: string): Promise<ContributionId[]> =>
    (await session.ask({ key, text: QUESTION })).answer.citations.map(({ contributionId }) => contributionId);

  const activity = () => fridge.client.contributions.activity(fridge.contributionId);
  /** The longest log that this member has put on the chain, in entries. */
  const anchoredSize = async (member: number): Promise<number> => {
    const sizes = (await fridge.client.chain.events(0)).map(({ data }) =>
      data.type === 'TreeHeadAnchored' && data.member === member ? data.treeSize : 0,
    );
    return Math.max(...sizes);
  };

  const headOf = async (n: number): Promise<SignedTreeHead> =>
    zSignedTreeHead.parse(await (await fetch(`${system.endpoints.holderUrls[n - 1]}/v1/log/head`)).json());
  const logSize = async (n: number): Promise<number> =>
    TreeHeadBcs.parse(fromBase64((await headOf(n)).treeHead)).treeSize;

  beforeAll(async () => {
    dao = await found(system.endpoints);
    fridge = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    handbook = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
    enterprise = await fundedSession(system.endpoints, dao.dataset.id, 3);
    wrapped = [1, 2, 3].map((n) => rowOf(n, fridge.contributionId)!);
  }, 240_000);

  it('was answered from before', async () => {
    expect(await cited(enterprise.session, 'before')).toContain(fridge.contributionId);
    expect([1, 2, 3].map((n) => onDisk(n, wrapped[n - 1]!))).toEqual([true, true, true]);
    cpSync(folderOf(3), join(system.home, 'old-backup'), { recursive: true });
    entriesInBackup = await logSize(3);
  });

  it('as far as its holders are there; what is away is missing', async () => {
    await system.kill('holder-2');
    const { receipt, verdict } = await fridge.client.contributions.erase(fridge.contributionId);
    expect(receipt.holders.map(({ state }) => state)).toEqual(['done', 'missing', 'done']);
    expect(verdict.ok).toBe(false);
    expect([1, 2, 3].map((n) => onDisk(n, wrapped[n - 1]!))).toEqual([false, true, false]);
  }, 240_000);

  it('from the session that was open, from the next question on, and from every later one', async () => {
    expect(await cited(enterprise.session, 'after')).not.toContain(fridge.contributionId);
    const later = await fundedSession(system.endpoints, dao.dataset.id, 1);
    expect(await cited(later.session, 'q')).toEqual([handbook.contributionId]);
  }, 240_000);

  it('by the holder that was away when it is back, and then the receipt is whole', async () => {
    await system.restart('holder-2');
    const { receipt, verdict } = await fridge.client.contributions.erase(fridge.contributionId);
    expect(receipt.holders.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect(verdict.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    // The DAO's policy says that what is stored can be deleted, so nothing of it is left to wait for.
    expect([receipt.runnersComplete, receipt.remains]).toEqual([true, []]);
    expect(new Set(receipt.blobs.map(({ state }) => state))).toEqual(new Set(['gone']));
    expect([1, 2, 3].map((n) => onDisk(n, wrapped[n - 1]!))).toEqual([false, false, false]);
    expect(receipt.runners.map(({ state }) => state)).toEqual(['done']);

    const file = join(system.home, 'erasure.json');
    writeFileSync(file, toWireJson(receipt));
    const auditor = commandLineOf(system.home, 'auditor');
    const { checks } = await auditor('erase', 'verify', file);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'SIGNED_PARTS', status: 'passed' }));
    writeFileSync(file, toWireJson({ ...receipt, contributionId: handbook.contributionId }));
    await expect(auditor('erase', 'verify', file)).rejects.toThrow('SIGNED_PARTS');
  }, 240_000);

  it('and its owner sees who asked, what was used and paid', async () => {
    const { requests, uses, paidUnits, unanswered, untrusted } = await activity();
    expect([unanswered, untrusted]).toEqual([[], []]);
    // Later sessions do not even ask for the key: the runner reads the same chain.
    expect(requests).toMatchObject([{ jobId: enterprise.jobId, opened: 'yes' }]);
    expect(uses.map(({ isExplained }) => isExplained)).toEqual([true]);
    expect(paidUnits).toBe(await balanceOf(fridge));
  }, 240_000);

  it('again by a holder that was restored from an old backup, which releases nothing meanwhile', async () => {
    // Its log has grown since the backup, and the chain knows.
    // How many those are depends on how often a session that was being opened asked again.
    const isKnown = async () => (await anchoredSize(2)) > entriesInBackup;
    for (const endMs = Date.now() + WAIT_MS; !(await isKnown()) && Date.now() < endMs;) await sleep(500);
    expect(await isKnown()).toBe(true);
    await system.kill('holder-3');
    const folder = folderOf(3);
    rmSync(folder, { recursive: true });
    cpSync(join(system.home, 'old-backup'), folder, { recursive: true });
    expect(onDisk(3, wrapped[2]!)).toBe(true);
    await system.restart('holder-3');
    const url = system.endpoints.holderUrls[2]!;
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, 'LOG_BEHIND']);
    const before = await headOf(3);
    const later = await fundedSession(system.endpoints, dao.dataset.id, 1);
    expect(await cited(later.session, 'q')).toEqual([handbook.contributionId]);
    // Not even its refusals are logged: whatever it added would fork its log.
    expect(await headOf(3)).toEqual(before);
    for (const endMs = Date.now() + WAIT_MS; onDisk(3, wrapped[2]!) && Date.now() < endMs;) await sleep(200);
    expect(onDisk(3, wrapped[2]!)).toBe(false);
    expect(rowOf(3, handbook.contributionId)).toBeDefined();
    // What else it lost shows, too: its log is not the one that it put on the chain.
    const { untrusted, holders } = await activity();
    expect(untrusted).toEqual([2]);
    const failed = holders[2]!.verdict.checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    expect(failed).toContain('ANCHORED');
  }, 240_000);
});
