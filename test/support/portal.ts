import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

export interface SentRequest {
  readonly url: string;
  readonly body: string;
}
export interface PaidLine {
  readonly role: string;
  readonly account: string;
  readonly units: bigint;
}

/** Many times what anything takes on two quiet cores: nothing here is told by how fast it comes. */
const WAIT_MS = 90_000;
const LOOKS = [
  ['light', 'light', 1280],
  ['dark', 'dark', 1280],
  ['narrow', 'light', 390],
] as const;
/** The client looks whether an object exists before it makes it; the browser logs each 404. */
const NOT_THERE_YET = /^Failed to load resource: .* 404 /;

/** A person before the portal in a real Chromium, with what only a test can see: requests and complaints. */
export class Portal {
  readonly requests: SentRequest[] = [];
  /** Errors on the console and uncaught ones, violations of the content security policy included. */
  complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
    private readonly url: string,
  ) {}

  static async open(executablePath: string, url: string): Promise<Portal> {
    // A test runner in a container is often root, where Chromium's own sandbox does not start.
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const portal = new Portal(browser, page, url);
    context.on('request', (request) =>
      portal.requests.push({ url: request.url(), body: request.postDataBuffer()?.toString('latin1') ?? '' }),
    );
    page.on('console', (message) => {
      if (message.type() === 'error' && !NOT_THERE_YET.test(message.text()))
        portal.complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => portal.complaints.push(error.message));
    return portal;
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  async visit(pageName: string): Promise<void> {
    await this.page.goto(`${this.url}/#/${pageName}`);
    await this.page.getByRole('heading', { level: 1 }).waitFor();
  }

  /** Choose an account of the development wallet; the portal signs in with it by itself. */
  async become(name: string): Promise<void> {
    const account = this.page.getByTestId('account');
    await account.click();
    await this.page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    await account.getByText(name).waitFor();
  }

  /** Errors that the test itself brought about at this origin. */
  forgive(origin: string): void {
    this.complaints = this.complaints.filter((complaint) => !complaint.includes(`${origin}/`));
  }

  async chooseFiles(...paths: string[]): Promise<void> {
    await this.page.getByRole('button', { name: 'Choose files' }).waitFor();
    await this.page.locator('input[type="file"]').setInputFiles(paths);
  }

  async dropFile(name: string, text: string): Promise<void> {
    const zone = this.page.locator('.drop-zone');
    await zone.waitFor();
    const dataTransfer = await this.page.evaluateHandle(
      (file) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([file.text], file.name));
        return transfer;
      },
      { name, text },
    );
    await zone.dispatchEvent('drop', { dataTransfer });
  }

  upload(fileName: string): Locator {
    return this.page.locator(`li[data-upload="${fileName}"]`);
  }

  async uploaded(fileName: string): Promise<void> {
    await this.page.locator(`li[data-upload="${fileName}"][data-state="done"]`).waitFor();
  }

  /** The catalogue code that is shown in this part of the page. */
  async refusalOf(part: Locator): Promise<string | null> {
    const alert = part.getByRole('alert');
    await alert.waitFor();
    return alert.locator('code').first().textContent();
  }

  /** Name and result of every check that is shown in this part of the page. */
  checks(part: Locator): Promise<[string, string][]> {
    return part
      .locator('tr[data-check]')
      .evaluateAll((rows) =>
        rows.map((row): [string, string] => [
          row.getAttribute('data-check') ?? '',
          row.getAttribute('data-status') ?? '',
        ]),
      );
  }

  /** Ask in the open session and wait for the answer to this very question. */
  async ask(question: string): Promise<Locator> {
    const answers = this.page.getByTestId('answer');
    const before = await answers.count();
    await this.page.getByRole('textbox', { name: 'Question' }).fill(question);
    await this.page.getByRole('button', { name: 'Ask', exact: true }).click();
    await answers.nth(before).waitFor();
    return answers.first();
  }

  async citedFiles(answer: Locator): Promise<string[]> {
    const names = await answer
      .locator('[data-testid="citations"] li')
      .evaluateAll((items) => items.map((item) => item.getAttribute('data-file') ?? ''));
    return [...new Set(names)].sort();
  }

  async paid(answer: Locator): Promise<PaidLine[]> {
    const lines = await answer.locator('[data-testid="paid"] tr[data-role]').evaluateAll((rows) =>
      rows.map((row) => ({
        role: row.getAttribute('data-role') ?? '',
        account: row.getAttribute('data-account') ?? '',
        units: row.getAttribute('data-units') ?? '',
      })),
    );
    return lines.map((line) => ({ ...line, units: BigInt(line.units) }));
  }

  /** The sum of what the ledger on the page Payouts shows as received, once it shows something or says that it is empty. */
  async credited(): Promise<bigint> {
    const ledger = this.page.getByRole('region', { name: 'Your ledger' });
    await ledger.locator('table, .empty').first().waitFor();
    const rows = this.page.locator('tr[data-direction="credit"]');
    const units = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-units') ?? '0'));
    return units.reduce((sum, text) => sum + BigInt(text), 0n);
  }

  /** By how many pixels the page is wider than a small phone. */
  async overflow(): Promise<number> {
    const before = this.page.viewportSize();
    await this.page.setViewportSize({ width: 360, height: 740 });
    const pixels = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (before !== null) await this.page.setViewportSize(before);
    return pixels;
  }

  /** With PORTAL_SCREENSHOTS naming a folder: what a person sees now, for documents and for looking at it. */
  async shoot(name: string): Promise<void> {
    const folder = process.env['PORTAL_SCREENSHOTS'];
    if (folder === undefined) return;
    for (const [look, colorScheme, width] of LOOKS) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.setViewportSize({ width, height: 900 });
      await this.page.screenshot({ path: `${folder}/${name}-${look}.png`, fullPage: true });
    }
    await this.page.emulateMedia({ colorScheme: null });
    await this.page.setViewportSize({ width: 1280, height: 900 });
  }
}
