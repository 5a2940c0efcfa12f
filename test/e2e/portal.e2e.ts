import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asAmount } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { RunningSystem } from '#local/system.js';
import type { Locator } from 'playwright-core';
import { FRIDGE_LOG, HANDBOOK, HARVEST, QUESTION } from '../support/documents.js';
import { contributor, found, giveGrant, type Contributor as Player, type Founded } from '../support/players.js';
import { Portal } from '../support/portal.js';
import { startTestSystem } from '../support/system.js';

const chromiumPath = process.env['CHROMIUM_PATH'] ?? '';
const missing = process.env['CHROMIUM_MISSING'] ?? 'CHROMIUM_PATH names no browser; npm test looks for one';

/** 1.000003: not divisible by the split, so every question leaves remainders. */
const PRICE_UNITS = 1_000_003n;
const DOCUMENTS = {
  Ada: { file: 'fridge.txt', text: FRIDGE_LOG },
  Ben: { file: 'handbook.md', text: HANDBOOK },
  Chloe: { file: 'harvest.txt', text: HARVEST },
} as const;
type Contributor = keyof typeof DOCUMENTS;

// So that a busy machine's browser tells what it waits for before Jest ends the test.
jest.setTimeout(240_000);

if (chromiumPath === '') {
  it.skip(`the main job through the portal in a real browser (skipped: ${missing})`, () => undefined);
} else {
  describe('the main job through the portal in a real browser', () => {
    let system: RunningSystem;
    let portal: Portal;
    let folder: string;
    /** Of another DAO, whose members have no portal. */
    let other: Founded;
    let dora: Player;
    const fileOf = (name: Contributor): string => join(folder, DOCUMENTS[name].file);

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'usufruct-portal-'));
      for (const { file, text } of Object.values(DOCUMENTS)) await writeFile(join(folder, file), text);
      await writeFile(join(folder, 'empty.txt'), '');
      await writeFile(join(folder, 'film.mkv'), 'not a document');
      await writeFile(join(folder, 'archive.txt'), '');
      await truncate(join(folder, 'archive.txt'), LIMITS.documentBytes + 1);
      system = await startTestSystem();
      portal = await Portal.open(chromiumPath, system.endpoints.portalUrl);
    });
    afterAll(async () => {
      await portal?.close();
      await system?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('says in a banner what is a stand-in, and asks for a wallet first', async () => {
      const { page } = portal;
      await portal.visit('datasets');
      const banner = await page.getByRole('note').textContent();
      for (const standIn of ['local chain', 'development wallet', 'software TEE']) expect(banner).toContain(standIn);
      await page.getByText('Choose a wallet at the top of the page').waitFor();
      await portal.shoot('01-start');
    });

    it('founds a DAO and publishes a dataset', async () => {
      const { page } = portal;
      const startedMs = performance.now();
      await portal.become('Founder');
      await portal.visit('governance');
      await page.getByRole('button', { name: 'Found a DAO' }).click();
      const takesSeconds = Math.ceil((performance.now() - startedMs) / 1_000);
      await page.getByLabel('Name of the DAO').fill('Cold chain cooperative');
      await page.getByLabel('What it is for').fill('Keeps vaccines cold.');
      await page.getByLabel('Price of a question').fill('1.000003');
      expect(await page.getByLabel('Approved code').inputValue()).toBe(system.endpoints.runnerMeasurement);
      // The session of this story goes on when a document is revoked.
      await page.getByLabel('When data that a running job uses is withdrawn').selectOption('finish');
      await page.getByText('How it decides and pays').click();
      // Somebody must see a proposal and vote in it: several times what three steps take this browser now.
      await page.getByLabel('Time to vote').fill(`${Math.max(6, 6 * takesSeconds)}s`);
      await page.getByLabel('Timelock').fill('0s');
      await portal.shoot('02-found-a-dao');
      await page.getByRole('button', { name: 'Found the DAO' }).click();
      await page.getByRole('heading', { name: 'Cold chain cooperative' }).waitFor();
      await page.getByLabel('Name of the dataset').fill('Field notes');
      await page.getByLabel('What it holds').fill('Logs and handbooks.');
      await page.getByRole('button', { name: 'Publish the dataset' }).click();
      await page.getByText('Nobody has contributed to this dataset yet').waitFor();
    });

    it('contributes a file that was chosen, and says why others are refused', async () => {
      await portal.become('Ada');
      await portal.visit('contribute');
      const { page } = portal;
      await page.getByText('of at most 64.0 MiB').waitFor();
      await portal.chooseFiles(
        ...['empty.txt', 'film.mkv', 'archive.txt'].map((name) => join(folder, name)),
        fileOf('Ada'),
      );
      expect(await portal.refusalOf(portal.upload('empty.txt'))).toBe('FILE_EMPTY');
      expect(await portal.refusalOf(portal.upload('film.mkv'))).toBe('FORMAT_UNKNOWN');
      await portal.uploaded('fridge.txt');
      await page.getByText('left out of every answer').waitFor();
      await portal.shoot('03-too-large');
      await page.getByRole('button', { name: 'Leave them' }).click();
      expect(await portal.upload('archive.txt').count()).toBe(0);
      const row = page.getByRole('row', { name: /fridge\.txt/ });
      await row.getByText('waiting for the DAO').waitFor();
      await portal.shoot('03-contribute');
    });

    it('contributes a file that was dropped', async () => {
      await portal.become('Ben');
      await portal.visit('contribute');
      await portal.dropFile('handbook.md', DOCUMENTS.Ben.text);
      await portal.uploaded('handbook.md');
    });

    it('goes on with an upload that was interrupted, and ends with one contribution', async () => {
      const { page } = portal;
      const [holder = ''] = system.endpoints.holderUrls;
      await portal.become('Chloe');
      await portal.visit('contribute');
      await system.kill('holder-1');
      await portal.chooseFiles(fileOf('Chloe'));
      expect(await portal.refusalOf(portal.upload('harvest.txt'))).toBe('UPSTREAM_UNAVAILABLE');
      await page.reload();
      await system.restart('holder-1');
      expect((await fetch(`${holder}/readyz`)).ok).toBe(true);
      portal.forgive(holder);
      await portal.chooseFiles(fileOf('Chloe'));
      await portal.uploaded('harvest.txt');
      await page.getByRole('row', { name: /harvest\.txt/ }).waitFor();
      expect(await page.locator('tr[data-contribution]').count()).toBe(1);
    });

    it('lets the founder accept what was contributed', async () => {
      const { page } = portal;
      await portal.become('Founder');
      await portal.visit('governance');
      await page.locator('li[data-contribution]').nth(2).waitFor();
      await portal.shoot('04-governance');
      for (let left = 3; left > 0; left--) {
        await page.getByRole('button', { name: 'Accept' }).first().click();
        await page
          .locator('li[data-state="accepted"]')
          .nth(3 - left)
          .waitFor();
      }
    });

    it.each(['Ada', 'Ben', 'Chloe'] as const)('lets %s allow a use, explained in words', async (name) => {
      const { page } = portal;
      await portal.become(name);
      await portal.visit('consent');
      await page.getByText('Nobody can decrypt this contribution').waitFor();
      await page.locator('[data-testid="decision"][data-code="GRANT_REQUIRED"]').waitFor();
      await page.getByRole('button', { name: 'Allow a use' }).click();
      await page.getByLabel(/^Research and development/).check();
      await page.getByText('May be used for: Research and development.').waitFor();
      await portal.shoot(`05-consent-${name}`);
      await page.getByRole('button', { name: 'Sign this grant' }).click();
      await page.locator('li[data-active="true"]').waitFor();
      await page.locator('[data-testid="decision"][data-code="ALLOWED"]').waitFor();
    });

    it('funds a session from a quote', async () => {
      const { page } = portal;
      await portal.become('Enterprise');
      await portal.visit('ask');
      await page.getByLabel('Questions at most').fill('3');
      await page.getByRole('button', { name: 'See what it costs' }).click();
      const offer = page.getByTestId('offer');
      await offer.getByText('3 contributions').waitFor();
      await offer.getByRole('button', { name: /^Get 100/ }).click();
      await offer.getByText('Your balance is smaller').waitFor({ state: 'detached' });
      await portal.shoot('06-offer');
      await offer.getByRole('button', { name: /^Lock 3\.000009/ }).click();
      await page.locator('[data-testid="session-state"][data-state="running"]').waitFor();
    });

    it('checks the attestation in the browser and says that it is DEV ONLY', async () => {
      const evidence = portal.page.getByTestId('attestation');
      await evidence.waitFor();
      expect(await evidence.getAttribute('data-ok')).toBe('true');
      await evidence.getByText('DEV ONLY: software TEE').waitFor();
      const checks = await portal.checks(evidence);
      for (const name of ['ROOT_NOT_PINNED', 'SIGNATURE', 'MEASUREMENT', 'NONCE', 'BINDING', 'DEBUG']) {
        expect(checks).toContainEqual([name, 'passed']);
      }
      expect(checks).toContainEqual(['GPU', 'skipped']);
      expect(checks.map(([, status]) => status)).not.toContain('failed');
      await evidence.getByText('What was checked').click();
      await portal.shoot('07-attestation');
    });

    it('answers with citations from two contributors, and every check of the receipt passes', async () => {
      const answer = await portal.ask(QUESTION);
      expect(await portal.citedFiles(answer)).toEqual(['fridge.txt', 'handbook.md']);
      expect(await answer.locator('.answer').textContent()).toContain('battery voltage fell below 11.4 volts');
      await answer.getByText('What was checked about the receipt').click();
      const checks = await portal.checks(answer);
      expect(checks.length).toBeGreaterThan(10);
      expect(checks.filter(([, status]) => status !== 'passed')).toEqual([]);
      await portal.shoot('08-answer');
      expect(await portal.overflow()).toBe(0);
    });

    it('shows who was paid, to the last unit', async () => {
      const paid = await portal.paid(portal.page.getByTestId('answer').first());
      const unitsOf = (role: string) => paid.filter((line) => line.role === role).map(({ units }) => units);
      // 1,000,003 × 80 / 10 / 8 / 2 % = 800,002.40 / 100,000.30 / 80,000.24 / 20,000.06: the one unit that the floors
      // leave goes to the largest remainder, the contributors.
      expect(unitsOf('contributor').reduce((sum, units) => sum + units, 0n)).toBe(800_003n);
      expect(unitsOf('contributor')).toHaveLength(2);
      expect(unitsOf('treasury')).toEqual([100_000n]);
      expect(unitsOf('runner')).toEqual([80_000n]);
      expect(unitsOf('protocol')).toEqual([20_000n]);
      expect(paid.reduce((sum, { units }) => sum + units, 0n)).toBe(PRICE_UNITS);
    });

    it('saves the receipt, verifies it without a network, and notices one changed digit', async () => {
      const { page } = portal;
      const downloading = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save the receipt with its evidence' }).click();
      const text = await readFile(await (await downloading).path(), 'utf8');
      await portal.visit('verify');
      const judge = async (evidence: string): Promise<Locator> => {
        await page.getByLabel('Paste the file here').fill(evidence);
        await page.getByRole('button', { name: 'Check it' }).click();
        const verdict = page.getByTestId('verdict');
        await verdict.waitFor();
        return verdict;
      };
      expect(await (await judge(text)).getAttribute('data-ok')).toBe('true');
      await portal.shoot('09-verify');
      const tampered = text.replace('"amountUnits":"100000"', '"amountUnits":"100001"');
      expect(tampered).not.toBe(text);
      const verdict = await judge(tampered);
      await page.locator('[data-testid="verdict"][data-ok="false"]').waitFor();
      expect(await portal.checks(verdict)).toContainEqual(['PAYOUTS_ADD_UP', 'failed']);
    });

    it('pays those whose data was used, and nothing to the third', async () => {
      const earned: Record<string, bigint> = {};
      for (const name of ['Ada', 'Ben', 'Chloe'] as const) {
        await portal.become(name);
        await portal.visit('payouts');
        await portal.page.getByText('agree to the last unit').waitFor();
        earned[name] = await portal.credited();
        await portal.shoot(`10-payouts-${name}`);
      }
      expect(earned['Ada']).toBeGreaterThan(0n);
      expect(earned['Ben']).toBeGreaterThan(0n);
      expect((earned['Ada'] ?? 0n) + (earned['Ben'] ?? 0n)).toBe(800_003n);
      expect(earned['Chloe']).toBe(0n);
    });

    it('looks at a proof file before it claims anything with it', async () => {
      const { page } = portal;
      await portal.visit('payouts');
      const panel = page.getByRole('region', { name: 'Claim a payout of an epoch' });
      const choose = async (content: string) => {
        await panel
          .getByLabel('Proof file')
          .setInputFiles({ name: 'proof.json', mimeType: 'application/json', buffer: Buffer.from(content) });
      };
      await choose('{"epochId":"0x1"}');
      expect(await portal.refusalOf(panel)).toBe('INVALID_ARGUMENT');
      const nobody = `0x${'7'.repeat(64)}`;
      const leaf = { daoId: nobody, number: '1', index: 0, account: nobody, amountUnits: '1', salt: nobody };
      await choose(JSON.stringify({ epochId: nobody, leaf, proof: [] }));
      await panel.getByText('NOT_FOUND').waitFor();
      await portal.shoot('10-claim');
    });

    it('lets a contributor verify the receipt of a use against the chain', async () => {
      const { page } = portal;
      await portal.become('Ada');
      await portal.visit('payouts');
      await page.getByRole('link', { name: 'receipt' }).click();
      const verdict = page.getByTestId('verdict');
      await verdict.waitFor();
      expect(await verdict.getAttribute('data-ok')).toBe('true');
      const checks = await portal.checks(verdict);
      expect(checks).toContainEqual(['SETTLED', 'passed']);
      expect(checks).toContainEqual(['RESULT_COMMITMENT', 'skipped']); // the answer is not hers to open
    });

    it('shows a contributor who decrypted, and lets her revoke', async () => {
      const { page } = portal;
      await portal.become('Ada');
      await portal.visit('consent');
      await page.getByRole('button', { name: 'Who decrypted it?' }).click();
      await page.getByRole('button', { name: 'Ask the key holders' }).click();
      const log = page.getByTestId('release-log');
      await log.getByRole('region', { name: 'Key holder 3' }).waitFor();
      expect(await log.locator('[data-decision="RELEASED"]').count()).toBeGreaterThanOrEqual(2);
      expect(await log.getByText('The log is signed, and these entries are in it').count()).toBe(3);
      // One question was paid, and her document had a part in it.
      expect(await log.getByTestId('uses').locator('[data-explained="true"]').count()).toBe(1);
      await portal.shoot('11-releases');
      await page.getByRole('button', { name: 'Revoke' }).click();
      await page.locator('li[data-active="false"]').waitFor();
      await page.getByText('No. The grant was revoked').waitFor();
      await portal.shoot('11-revoked');
    });

    it('cannot use the revoked document for the next question', async () => {
      const { page } = portal;
      await portal.become('Enterprise');
      await portal.visit('jobs');
      await page.getByRole('link', { name: 'Open' }).click();
      await page.getByTestId('attestation').waitFor();
      const answer = await portal.ask(QUESTION);
      expect(await portal.citedFiles(answer)).not.toContain('fridge.txt');
      expect(await answer.locator('.answer').textContent()).not.toContain('compressor stopped');
      await page.getByRole('button', { name: 'Close and take back the rest' }).click();
      await page.getByRole('link', { name: 'Begin another session' }).waitFor();
      // 100 minted, two questions of 1.000003 paid: 97.999994 left.
      await page.getByTestId('balance').getByText('97.999994').waitFor();
      await portal.shoot('12-closed');
    });

    it('asks two datasets one question: prices and sum first, then each answer by itself', async () => {
      const { page } = portal;
      other = await found(system.endpoints, { pricePerQuestionUnits: asAmount(500_000n) });
      dora = await contributor(system.endpoints, other, 'log.txt', FRIDGE_LOG);
      await portal.become('Enterprise');
      await portal.visit('ask');
      const form = page.getByRole('form', { name: 'Question to several datasets' });
      const boxes = form.getByRole('checkbox', { name: /^Field notes/ });
      await boxes.nth(1).check();
      expect(await form.getByRole('button', { name: 'See what it costs' }).isDisabled()).toBe(true); // of one alone
      await boxes.nth(0).focus();
      await page.keyboard.press('Space');
      await form.getByLabel('Question to all of them').fill(QUESTION);
      await form.getByRole('button', { name: 'See what it costs' }).focus();
      await page.keyboard.press('Enter');
      const offer = page.getByTestId('several-offer');
      expect(await offer.getByTestId('together').textContent()).toBe('1.500003 LUSD');
      await portal.shoot('12-several-offer');
      expect(await portal.overflow()).toBe(0);
      await offer.getByRole('button', { name: 'Lock 1.500003 LUSD and ask 2 datasets' }).focus();
      await page.keyboard.press('Enter');
      await page.getByTestId('several-progress').waitFor();
      const answers = page.getByTestId('several-answers');
      await answers.waitFor();
      await answers.getByText('2 of 2 datasets answered; together it cost 1.500003 LUSD.').waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
      await expect(focused()).resolves.toBe('several-answers');
      expect(await portal.citedFiles(answers)).toEqual(['handbook.md', 'log.txt']);
      await answers.getByText('What they cite, the best first').click();
      for (const answer of await answers.getByTestId('answer').all()) {
        await answer.getByText('What was checked about the receipt').click();
        const checks = await portal.checks(answer);
        expect(checks.length).toBeGreaterThan(10);
        expect(checks.filter(([, status]) => status !== 'passed')).toEqual([]);
      }
      await portal.shoot('12-several-answers');
      expect(await portal.overflow()).toBe(0);
    });

    it('says why one of two datasets refuses, beside the answer of the other, which alone is paid', async () => {
      const { page } = portal;
      const form = page.getByRole('form', { name: 'Question to several datasets' });
      await form
        .getByLabel('Question to all of them')
        .fill('What follows when a battery voltage falls below 11.4 volts?');
      await form.getByRole('button', { name: 'See what it costs' }).click();
      const lock = page.getByRole('button', { name: 'Lock 1.500003 LUSD and ask 2 datasets' });
      await lock.waitFor();
      await dora.client.grants.revoke(dora.grant.id);
      await lock.click();
      const answers = page.getByTestId('several-answers').first();
      await answers.getByText('1 of 2 datasets answered; together it cost 1.000003 LUSD.').waitFor();
      expect(await portal.refusalOf(answers.locator('[data-answered="false"]'))).toBe('NO_USABLE_DATA');
      expect(await portal.citedFiles(answers.locator('[data-answered="true"]'))).toEqual(['handbook.md']);
      await portal.shoot('12-several-refused');
      // 97.999994 − 1.500003 − 1.000003: what was locked for the one that refused came back.
      await page.getByTestId('balance').getByText('95.499988').waitFor();
      await form.getByRole('button', { name: 'See what it costs' }).click();
      const offer = page.getByTestId('several-offer');
      await offer.getByText('It is not asked, and not in the sum.').waitFor();
      expect([await portal.refusalOf(offer), await offer.getByTestId('together').textContent()]).toEqual([
        'NO_USABLE_DATA',
        '1.000003 LUSD',
      ]);
      await portal.shoot('12-several-not-asked');
    });

    it('asks again only what has not answered, for what is left of the price, and opens the answers later', async () => {
      const { page } = portal;
      await giveGrant(dora, dora.contributionId);
      const answers = page.getByTestId('several-answers').first();
      await answers.getByRole('button', { name: 'Try again' }).click();
      await answers.getByText('2 of 2 datasets answered; together it cost 1.500003 LUSD.').waitFor();
      await page.getByTestId('balance').getByText('94.999988').waitFor();
      await portal.visit('jobs');
      const session = page.getByRole('region').filter({ hasText: '1 of 1 answered and paid' }).first();
      await session.getByRole('link', { name: 'Open' }).click();
      await page.getByRole('button', { name: 'Show the answer' }).click();
      await page.getByText('receipt checked').waitFor();
    });

    it('stops a part of a purpose by a plan that is shown first', async () => {
      const { page } = portal;
      await portal.become('Ben');
      await portal.visit('consent');
      await page.getByLabel('Which purpose').selectOption({ label: 'Academic research' });
      await page.getByRole('button', { name: 'Show what this changes' }).click();
      await page.getByText('You are about to sign one transaction:').waitFor();
      await page.getByText('In its place, at the same moment: Scientific research').waitFor();
      await portal.shoot('12-stop');
      await page.getByRole('button', { name: 'Sign and stop' }).click();
      await page.getByText('1 grant ended, 1 narrower one took their place.').waitFor();
      await page.locator('li[data-active="true"]').getByText('Scientific research').waitFor();
    });

    it('erases a contribution: every key holder signs, and what cannot be undone is said before', async () => {
      const { page } = portal;
      await portal.become('Chloe');
      await portal.visit('consent');
      await page.getByRole('button', { name: 'Erase it' }).click();
      await page.getByText('answers that were given already').waitFor();
      expect(await page.getByRole('button', { name: 'Erase for good' }).isDisabled()).toBe(true);
      await page.getByLabel('I have read this').check();
      await page.getByRole('button', { name: 'Erase for good' }).click();
      const receipt = page.locator('[data-testid="erasure"][data-ok="true"]');
      await receipt.waitFor();
      expect(await receipt.locator('li[data-state="done"]').count()).toBe(3);
      await page.locator('[data-testid="decision"][data-code="TOMBSTONED"]').waitFor();
      await page.getByText('retired for good', { exact: true }).waitFor();
      await page.getByText('ended with it', { exact: true }).waitFor();
      expect(await page.getByRole('button', { name: 'Revoke', exact: true }).count()).toBe(0);
      await portal.shoot('12-erased');
    });

    it('lets a contributor propose, the members vote and anyone execute, explained in words', async () => {
      const { page } = portal;
      await portal.become('Ada'); // a member since her contribution was accepted
      await portal.visit('governance');
      await page.getByRole('button', { name: 'Propose something' }).click();
      await page.getByLabel('New price of a question').fill('2.5');
      await page.getByText('Set the price of a question to 2.50 LUSD.').waitFor();
      await page.getByText('Price of a question: 1.000003 LUSD → 2.50 LUSD').waitFor();
      await portal.shoot('13-propose');
      await page.getByRole('button', { name: 'Propose it' }).click();
      await page.getByRole('group', { name: 'Vote on proposal 1' }).getByRole('button', { name: 'Yes' }).click();
      await page.getByText('you voted: yes').waitFor();
      await page.getByText('1 yes, 0 no, 0 abstained, of 4.').waitFor();
      await portal.shoot('13-proposal');
      await page.locator('li[data-proposal="1"][data-state="executable"]').waitFor();
      await page.getByRole('button', { name: 'Execute it' }).click();
      await page.locator('li[data-proposal="1"][data-state="executed"]').waitFor();
      await page.getByText('Policy, version 2').click();
      await page.getByRole('button', { name: 'How did it change?' }).click();
      const version = page.locator('li[data-version="2"]');
      await version.getByText('Price of a question: 1.000003 LUSD → 2.50 LUSD').waitFor();
      await page.getByText('Treasury, and what was spent').click();
      await page.getByText('Nothing was spent yet.').waitFor();
      await portal.shoot('13-executed');
    });

    it('takes in who asks, by a steward, and pauses only after asking twice', async () => {
      const { page } = portal;
      await portal.become('Enterprise');
      await portal.visit('governance');
      const apply = page.locator(`li[data-dao]:not([data-dao="${other.dao.id}"])`);
      await apply.getByRole('button', { name: 'Ask to become a member' }).click();
      await page.getByLabel('What you tell the DAO').fill('We use these data every day.');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByText('a steward decides').waitFor();
      await portal.become('Founder');
      await portal.visit('governance');
      await page.getByRole('button', { name: 'Let in' }).click();
      await page.locator('li[data-member]').nth(4).waitFor();
      await page.getByRole('button', { name: 'Pause…' }).click();
      await page.getByRole('button', { name: 'Pause the DAO' }).click();
      await page.getByText('This DAO is paused.').waitFor();
      await portal.shoot('14-paused');
    });

    it('fits a narrow screen on every page', async () => {
      const { page } = portal;
      await portal.become('Ada');
      for (const name of ['datasets', 'contribute', 'consent', 'payouts', 'ask', 'jobs', 'governance', 'verify']) {
        await portal.visit(name);
        await page.getByText('Reading').first().waitFor({ state: 'detached' });
        expect([name, await portal.overflow()]).toEqual([name, 0]);
      }
      await page.setViewportSize({ width: 360, height: 740 });
    });

    it('can be worked with the keyboard alone', async () => {
      const { page } = portal;
      await portal.visit('datasets');
      await page.reload();
      await page.getByRole('heading', { level: 2 }).first().waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
      expect(await focused()).toBe('Datasets');
      await page.getByRole('button', { name: 'Menu' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'Payouts' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Payouts' }).waitFor();
      expect(await focused()).toBe('Payouts');
      await page.getByTestId('account').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      expect(await focused()).toMatch(/^Ada/);
    });

    it('sent no document and no question in clear, asked nobody else, and logged no error', () => {
      const { apiUrl, chainUrl, portalUrl, publisherUrl, aggregatorUrl, holderUrls } = system.endpoints;
      const known = [apiUrl, chainUrl, portalUrl, publisherUrl, aggregatorUrl, ...holderUrls];
      // The worker's requests are seen too: three files, each with a manifest, lie in the store.
      const stored = portal.requests.filter(({ url, body }) => url.startsWith(`${publisherUrl}/`) && body.length > 0);
      expect(stored.length).toBeGreaterThanOrEqual(6);
      expect(portal.requests.filter(({ url }) => !known.some((origin) => url.startsWith(`${origin}/`)))).toEqual([]);
      const secrets = ['compressor', 'lead-acid', 'groundnut', 'handbook.md', 'fridge.txt', 'harvest.txt'];
      const leaks = portal.requests.filter(({ body }) => secrets.some((secret) => body.includes(secret)));
      expect(leaks.map(({ url }) => url)).toEqual([]);
      expect(portal.complaints).toEqual([]);
    });
  });
}
