import {
  hardwareIdBytes,
  intelItems,
  itemOfName,
  NVIDIA_ENDORSEMENTS,
  readEvidenceFile,
  SNP_PRODUCTS,
  type EndorsementItem,
  type SnpProduct,
} from '@usufruct/attestation';
import {
  EndorsementCache,
  OfflineFolder,
  type EndorsementStatus,
  type EndorsementUrls,
  type FetchOutcome,
} from '@usufruct/endorsements';
import { refuse } from '@usufruct/kernel';
import type { AddCommand } from '../../program.js';
import { integerOf } from '../../arguments.js';
import type { Runtime } from '../../runtime.js';
import { timeOf } from '../../words.js';
import { readBounded } from './read-bounded.js';
import { rootsOf } from './roots.js';

interface FetchOptions {
  readonly evidence?: string;
  readonly fmspc?: readonly string[];
  readonly product?: string;
  readonly chipId?: string;
  readonly tcb?: string;
  readonly rim?: readonly string[];
  readonly cache?: string;
  readonly again?: boolean;
  readonly intelUrl?: string;
  readonly amdUrl?: string;
  readonly nvidiaRimUrl?: string;
  readonly nvidiaOcspUrl?: string;
  readonly nvidiaKeysUrl?: string;
  readonly devRoot?: readonly string[];
}

const FETCH_HELP = `
Without any of these it asks again for everything that the folder holds: run it daily, before nextUpdate comes.
A mirror (a PCCS, a proxy) is named by its address; everything is verified up to the vendors' pinned roots all the same.
The folder, copied, serves where no vendor can be reached: usufruct attest verify --offline --endorsements DIR.`;

export const addEndorsements: AddCommand = (attest, open) => {
  const endorsements = attest.command('endorsements').description('what the vendors sign about their hardware');
  endorsements
    .command('fetch')
    .description('fetch from Intel, AMD and NVIDIA, verify, and keep')
    .option('--evidence <bundle>', 'everything that this evidence needs')
    .option('--fmspc <hex...>', "everything of Intel's for a family of platforms (6 bytes)")
    .option('--product <name>', `AMD's chain and list of a product line: ${SNP_PRODUCTS.join(', ')}`)
    .option('--chip-id <hex>', 'with --product and --tcb: the certificate of one chip (VCEK)')
    .option('--tcb <levels>', 'bootloader.tee.snp.microcode, on Turin with .fmc behind')
    .option('--rim <id...>', "NVIDIA's manifests by their ids")
    .option('--cache <dir>', 'where to keep them (default: endorsements in the home)')
    .option('--again', 'ask even where what is kept is fresh')
    .option('--intel-url <url>', "Intel's service or a PCCS")
    .option('--amd-url <url>', "AMD's key distribution service or a mirror")
    .option('--nvidia-rim-url <url>', "NVIDIA's RIM service or a mirror")
    .option('--nvidia-ocsp-url <url>', "NVIDIA's OCSP responder or a mirror")
    .option('--nvidia-keys-url <url>', "the keys of NVIDIA's attestation service; https")
    .option('--dev-root <name=file...>', 'DEV ONLY: generated roots in place of the vendors’')
    .addHelpText('after', FETCH_HELP)
    .action(async (options: FetchOptions, command) => fetchThem(open(command), options));
  endorsements
    .command('status')
    .description('what is kept, until when it is signed and fresh; fails if something is past its signed validity')
    .option('--cache <dir>', 'where they are kept (default: endorsements in the home)')
    .option('--dev-root <name=file...>', 'DEV ONLY: generated roots in place of the vendors’')
    .action(async (options: Pick<FetchOptions, 'cache' | 'devRoot'>, command) => showStatus(open(command), options));
};

async function fetchThem(runtime: Runtime, options: FetchOptions): Promise<void> {
  const cache = new EndorsementCache({
    folder: options.cache ?? runtime.endorsementsPath,
    roots: rootsOf(options.devRoot),
    clock: runtime.clock,
    urls: urlsOf(options),
  });
  const items = itemsOf(options);
  const again = { again: options.again === true };
  const found: FetchOutcome[] = [...(await cache.fetch(items, again))];
  if (options.evidence !== undefined) {
    const { bundle } = readEvidenceFile(readBounded(options.evidence, 'evidence file'));
    found.push(...(await cache.fetchFor(bundle, again)));
  } else if (items.length === 0) {
    found.push(...(await cache.refresh()));
  }
  const failed = found.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
  const refusal = failed.length === 0 ? null : refuse('UPSTREAM_UNAVAILABLE', { parts: failed.join(', ') });
  const lines = found.map(
    ({ name, outcome, reason }) => `${outcome.padEnd(9)}  ${name}${reason === '' ? '' : `: ${reason}`}`,
  );
  runtime.terminal.judgement({ endorsements: found }, lines.length === 0 ? ['nothing to fetch'] : lines, refusal);
}

function urlsOf({ intelUrl, amdUrl, ...nvidia }: FetchOptions): Partial<EndorsementUrls> {
  return {
    ...(intelUrl === undefined ? {} : { intel: intelUrl }),
    ...(amdUrl === undefined ? {} : { amd: amdUrl }),
    ...(nvidia.nvidiaRimUrl === undefined ? {} : { nvidiaRim: nvidia.nvidiaRimUrl }),
    ...(nvidia.nvidiaOcspUrl === undefined ? {} : { nvidiaOcsp: nvidia.nvidiaOcspUrl }),
    ...(nvidia.nvidiaKeysUrl === undefined ? {} : { nvidiaKeys: nvidia.nvidiaKeysUrl }),
  };
}

/** What is named, in any order. Refuses `INVALID_ARGUMENT` with the option. */
function itemsOf(options: FetchOptions): EndorsementItem[] {
  const families = (options.fmspc ?? []).flatMap((text) =>
    intelItems(hexOf(text, 'fmspc', 6), ['platform', 'processor']),
  );
  const manifests = (options.rim ?? []).map((id) => {
    const item = itemOfName(NVIDIA_ENDORSEMENTS.rim(id));
    if (item === null) throw refuse('INVALID_ARGUMENT', { field: 'rim', expected: 'the id of a manifest' });
    return item;
  });
  return [...families, ...amdItems(options), ...manifests];
}

function amdItems({ product: line, chipId, tcb }: FetchOptions): EndorsementItem[] {
  if (line === undefined && chipId === undefined && tcb === undefined) return [];
  const product = SNP_PRODUCTS.find((known) => known === line);
  if (product === undefined) throw refuse('INVALID_ARGUMENT', { field: 'product', expected: SNP_PRODUCTS.join(', ') });
  const common: EndorsementItem[] = [
    { kind: 'amd-chain', key: 'VCEK', product },
    { kind: 'amd-crl', product },
  ];
  if (chipId === undefined && tcb === undefined) return common;
  return [...common, vcekOf(product, chipId ?? '', tcb ?? '')];
}

/** A report gives 64 bytes of chip id on every product; of Turin's only the first eight are a name. */
function vcekOf(product: SnpProduct, chipId: string, tcb: string): EndorsementItem {
  const bytes = hardwareIdBytes(product);
  const hardwareId =
    chipId.length === 128 ? hexOf(chipId, 'chip-id', 64).slice(0, bytes * 2) : hexOf(chipId, 'chip-id', bytes);
  const levels = tcb.split('.').map((level) => integerOf(level, 'tcb'));
  const [bootloader, tee, snp, microcode, fmc = 0] = levels;
  const isWhole = levels.length === (product === 'Turin' ? 5 : 4) && levels.every((level) => level < 256);
  if (!isWhole)
    throw refuse('INVALID_ARGUMENT', { field: 'tcb', expected: 'bootloader.tee.snp.microcode, on Turin .fmc' });
  return {
    kind: 'amd-vcek',
    product,
    hardwareId,
    tcb: { bootloader: bootloader!, tee: tee!, snp: snp!, microcode: microcode!, fmc },
  };
}

function hexOf(text: string, field: string, bytes: number): string {
  const digits = text.toLowerCase();
  if (digits.length === 2 * bytes && /^[0-9a-f]+$/.test(digits)) return digits;
  throw refuse('INVALID_ARGUMENT', { field, expected: `${bytes} bytes of hex` });
}

async function showStatus(
  runtime: Runtime,
  { cache, devRoot }: Pick<FetchOptions, 'cache' | 'devRoot'>,
): Promise<void> {
  const folder = cache ?? runtime.endorsementsPath;
  const rows = await new OfflineFolder({ folder, roots: rootsOf(devRoot), clock: runtime.clock }).status();
  const bad = rows.filter(({ state }) => state === 'expired' || state === 'unusable').map(({ name }) => name);
  const refusal = bad.length === 0 ? null : refuse('ENDORSEMENTS_STALE', { endorsements: bad.join(', ') });
  runtime.terminal.judgement({ endorsements: rows }, statusLines(rows), refusal);
}

function statusLines(rows: readonly EndorsementStatus[]): string[] {
  if (rows.length === 0) return ['nothing is kept'];
  const cells = rows.map(({ name, source, signedUntilMs, freshUntilMs, state, reason }) => [
    name,
    source || 'put there by hand',
    signedUntilMs === null ? '-' : timeOf(signedUntilMs),
    freshUntilMs === null ? '-' : timeOf(freshUntilMs),
    reason === '' ? state : `${state}: ${reason}`,
  ]);
  const table = [['item', 'source', 'signed until', 'fresh until', 'state'], ...cells];
  const widths = table[0]!.map((_cell, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
