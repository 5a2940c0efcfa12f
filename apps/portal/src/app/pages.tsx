import type { ComponentType } from 'react';
import { AskPage } from '../features/ask/ask-page.js';
import { ConsentPage } from '../features/consent/consent-page.js';
import { ContributePage } from '../features/contribute/contribute-page.js';
import { DatasetsPage } from '../features/datasets/datasets-page.js';
import { GovernancePage } from '../features/governance/governance-page.js';
import { JobsPage } from '../features/jobs/jobs-page.js';
import { PayoutsPage } from '../features/payouts/payouts-page.js';
import { VerifyPage } from '../features/verify/verify-page.js';

export interface PageEntry {
  readonly path: string;
  readonly name: string;
  readonly page: ComponentType;
}

export const START_PAGE = 'datasets';

/** Grouped by who uses them. */
export const PAGE_GROUPS: readonly { readonly title: string; readonly pages: readonly PageEntry[] }[] = [
  {
    title: 'Share',
    pages: [
      { path: 'contribute', name: 'Contribute', page: ContributePage },
      { path: 'consent', name: 'Consent', page: ConsentPage },
      { path: 'payouts', name: 'Payouts', page: PayoutsPage },
    ],
  },
  {
    title: 'Use',
    pages: [
      { path: 'datasets', name: 'Datasets', page: DatasetsPage },
      { path: 'ask', name: 'Ask', page: AskPage },
      { path: 'jobs', name: 'Sessions', page: JobsPage },
    ],
  },
  {
    title: 'Oversee',
    pages: [
      { path: 'governance', name: 'Governance', page: GovernancePage },
      { path: 'verify', name: 'Verify', page: VerifyPage },
    ],
  },
];

export const PAGES = PAGE_GROUPS.flatMap((group) => group.pages);
