/** Who plays, and what they bring. Files are relative to this folder, those of the project to its root. */
export const FOUNDER = 'Highland Data Commons';
export const ENTERPRISE = 'Northlight Refrigeration';

export interface Role {
  readonly name: string;
  readonly files: readonly string[];
}
export const CLINIC: Role = {
  name: 'Tarn Valley Health Post',
  files: ['infra/demo/documents/cold-chain-report.txt', 'infra/demo/documents/fridge-log.csv'],
};
export const COOPERATIVE: Role = {
  name: 'Solar Maintenance Cooperative',
  files: ['infra/demo/documents/maintenance-handbook.md', 'infra/demo/documents/battery-care.html'],
};
export const GROWERS: Role = {
  name: 'Millet and Groundnut Growers',
  files: ['infra/demo/documents/harvest-report.pdf', 'docs/GLOSSARY.md'],
};
export const CONTRIBUTORS: readonly Role[] = [CLINIC, COOPERATIVE, GROWERS];

export const PURPOSE = 'dpv:ResearchAndDevelopment';
/** A sentence of the health post says why, one of the cooperative says what to do: the answer needs both. */
export const QUESTION =
  'Why did the vaccine fridge rise above 8 degrees, and how is its battery bank kept from falling below 11.7 volts?';
export const PRICE_UNITS = 1_000_001n; // not divisible by anything here, so that every rounding shows
export const FAUCET_UNITS = 25_000_000n;
export const SPLIT = { contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 800, protocolBps: 200 };
