import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandLineOf } from '../support/command-line.js';
import { FRIDGE_LOG, HANDBOOK, QUESTION } from '../support/documents.js';
import { extraHolders, type ExtraHolder } from '../support/extra-holders.js';
import { contributor, found, fundedSession, type Contributor, type Founded } from '../support/players.js';
import { startTestSystem } from '../support/system.js';

/**
 * Documents are contributed once, to three holders. In the end none of these three is left, nobody has asked the
 * contributors for anything, and a question is answered from the documents all the same.
 */
describe('a holder set that outlives its holders', () => {
  let system: Awaited<ReturnType<typeof startTestSystem>>;
  let extra: ExtraHolder[];
  let dao: Founded;
  let fridge: Contributor;
  let handbook: Contributor;
  const firstSecrets: string[] = [];

  beforeAll(async () => {
    extra = await extraHolders(5, () => ({ home: system.home, chainUrl: system.endpoints.chainUrl }));
    system = await startTestSystem({ moreHolderUrls: extra.map(({ url }) => url) });
    writeFileSync(join(system.home, 'endpoints.json'), JSON.stringify(system.endpoints));
    writeFileSync(join(system.home, 'tee-root.pem'), system.endpoints.teeDevRoot);
    const secrets = JSON.parse(readFileSync(join(system.home, 'secrets.json'), 'utf8')) as { holderSecrets: string[] };
    for (const [i, secret] of secrets.holderSecrets.entries()) {
      const file = join(system.home, `secret-${i + 1}`);
      writeFileSync(file, secret);
      firstSecrets.push(file);
    }
    await cli('wallet', 'new');
    dao = await found(system.endpoints);
    fridge = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    handbook = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
  }, 180_000);
  afterAll(async () => {
    for (const { kill, secretFile } of extra ?? []) {
      await kill();
      rmSync(secretFile, { force: true });
    }
    await system?.stop();
  }, 240_000);

  const cli = (...args: readonly string[]) => commandLineOf(system.home, 'operator')(...args);
  const setId = (): string => dao.dao.policy.holderSetId;
  const first = (n: number): string => system.endpoints.holderUrls[n - 1]!;
  const known = (): string[] => ['--holder', ...extra.map(({ url }) => url)];

  /** Drafted by one operator, signed by some, sent and carried by any. */
  async function rotate(urls: readonly string[], threshold: number, secretFiles: readonly string[]) {
    const file = join(system.home, `draft-${Math.random()}.json`);
    await cli('holder-set', 'draft', setId(), '--threshold', String(threshold), '--out', file, '--holder', ...urls);
    for (const secretFile of secretFiles) await cli('holder-set', 'sign', file, '--secret-file', secretFile);
    return cli('holders', 'rotate', setId(), '--draft', file, ...known());
  }
  async function ask(): Promise<Set<string>> {
    const enterprise = await fundedSession(system.endpoints, dao.dataset.id, 1);
    const { answer, verdict } = await enterprise.session.ask({ key: 'q', text: QUESTION });
    expect(verdict.ok).toBe(true);
    await enterprise.session.close();
    return new Set(answer.citations.map(({ contributionId }) => contributionId));
  }
  const both = (): Set<string> => new Set([fridge.contributionId, handbook.contributionId]);

  it('answers while a member is lost and replaced, before and after the shares are there', async () => {
    expect(await ask()).toEqual(both());
    await system.kill('holder-3');
    await extra[0]!.start();
    const report = await rotate([first(1), first(2), extra[0]!.url], 2, firstSecrets.slice(0, 2));
    expect(report).toMatchObject({ ok: true, version: 2, manifests: 2, done: 2, waiting: [], faults: [] });
    expect(await cli('holders', 'status', setId(), ...known())).toMatchObject({ version: 2, done: 2, pending: [] });
    await system.kill('holder-1');
    expect(await ask()).toEqual(both());
    await system.restart('holder-1');
  }, 180_000);

  it('grows to 3 of 5', async () => {
    await extra[1]!.start();
    await extra[2]!.start();
    const members = [first(1), first(2), ...extra.slice(0, 3).map(({ url }) => url)];
    const report = await rotate(members, 3, [firstSecrets[1]!, extra[0]!.secretFile]);
    expect(report).toMatchObject({ ok: true, version: 3, manifests: 2, done: 2, faults: [] });
    expect(await ask()).toEqual(both());
  }, 180_000);

  it('loses two of five, still answers, and recovers with holders of which none was there at the beginning', async () => {
    await system.kill('holder-1');
    await system.kill('holder-2');
    expect(await ask()).toEqual(both());
    await extra[3]!.start();
    await extra[4]!.start();
    const signers = extra.slice(0, 3).map(({ secretFile }) => secretFile);
    const report = await rotate(
      extra.map(({ url }) => url),
      3,
      signers,
    );
    expect(report).toMatchObject({ ok: true, version: 4, manifests: 2, done: 2, faults: [], absent: [] });
    // Only the two newest and one other.
    await extra[0]!.kill();
    await extra[1]!.kill();
    expect(await ask()).toEqual(both());
  }, 180_000);

  it('destroys what old holders have left, as soon as they are there again', async () => {
    await extra[0]!.start();
    await extra[1]!.start();
    await system.restart('holder-1');
    await system.restart('holder-2');
    const before = (await cli('holders', 'status', setId(), ...known())) as unknown as Status;
    expect(before.holders.filter(({ member }) => member === null).map(({ shares }) => shares)).toEqual([2, 2]);
    expect(await cli('holders', 'rotate', setId(), ...known())).toMatchObject({ ok: true, done: 2, oldSharesLeft: 0 });
    const after = (await cli('holders', 'status', setId(), ...known())) as unknown as Status;
    expect(after.holders.filter(({ member }) => member === null).map(({ shares }) => shares)).toEqual([0, 0]);
  }, 240_000);
});

interface Status {
  readonly holders: readonly { readonly member: number | null; readonly shares: number }[];
}
