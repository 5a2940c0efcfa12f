import { concatBytes, fromUtf8, refuse, toHex, UsufructError, type RandomSource } from '@usufruct/kernel';
import { kernelCode, type GuestFiles } from './guest-files.js';
import type { RuntimeRegister } from './kernel-register.js';
import type { CpuDevice } from './ports.js';
import { endorsementKeyOf } from './snp-certificates.js';

export interface TsmOptions {
  readonly files: GuestFiles;
  readonly random: RandomSource;
  /** `/sys/kernel/config/tsm/report`, unless configfs is mounted elsewhere. */
  readonly reportDir: string;
  /** Of a TD; null where its kernel gives no access to RTMR3. */
  readonly register: RuntimeRegister | null;
  /** DER of the VCEK or VLEK, for hosts that hand none over with the report. */
  readonly snpCertificate?: Uint8Array;
  readonly pause?: (ms: number) => Promise<void>;
}

/** Names that the kernel gives to whoever makes the report (Documentation/ABI/testing/configfs-tsm-report, provider). */
const PROVIDERS: Readonly<Record<string, CpuDevice['profile']>> = { tdx_guest: 'tdx', sev_guest: 'snp' };
const TRIES = 5;
const PAUSE_MS = 50;
/** Another user of the interface is in the middle of something. */
const PASSING: readonly string[] = ['EBUSY', 'EAGAIN', 'EWOULDBLOCK', 'EINTR'];

interface Report {
  readonly provider: string;
  readonly outblob: Uint8Array;
  readonly auxblob: Uint8Array;
}

/**
 * Reports through Linux's configfs (6.7 or newer): a directory is made, report data is written into it, the report is
 * read out of it, and the kernel's `generation` says whether anybody wrote in between. Which hardware it is follows from
 * the provider that the kernel names.
 */
export async function configfsCpu(options: TsmOptions): Promise<CpuDevice> {
  const { provider } = await report(options, new Uint8Array(64));
  const profile = PROVIDERS[provider];
  if (profile === undefined) throw invalid(options, 'a report of tdx_guest or sev_guest');
  if (profile === 'snp') {
    return { profile, quote: async (data) => ({ evidence: await snpEvidence(options, data), eventLog: [] }) };
  }
  const { register } = options;
  return {
    profile,
    // The log is read first: an event that is measured in between makes the two differ, and is then seen to.
    quote: async (data) => {
      const eventLog = register === null ? [] : await register.events();
      return { evidence: (await report(options, data)).outblob, eventLog };
    },
    ...(register === null ? {} : { extend: (name, payload) => register.extend(name, payload) }),
  };
}

/** The report and its endorsement key's certificate behind it, as a verifier wants them. */
async function snpEvidence(options: TsmOptions, data: Uint8Array): Promise<Uint8Array> {
  const { outblob, auxblob } = await report(options, data);
  const certificate = endorsementKeyOf(auxblob) ?? options.snpCertificate;
  if (certificate === undefined) {
    throw refuse('CONFIG_INVALID', { setting: 'SNP_CERTIFICATE_FILE', expected: 'a VCEK: the host hands none over' });
  }
  return concatBytes(outblob, certificate);
}

async function report(options: TsmOptions, data: Uint8Array): Promise<Report> {
  const pause = options.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  for (let tried = 1; ; tried += 1) {
    const found = await tryReport(options, data);
    if (found !== null) return found;
    if (tried >= TRIES) {
      throw refuse('UPSTREAM_UNAVAILABLE', { upstream: options.reportDir, reason: `others wrote ${TRIES} times` });
    }
    await pause(PAUSE_MS * tried);
  }
}

/** Null when somebody else came in between. */
async function tryReport({ files, random, reportDir }: TsmOptions, data: Uint8Array): Promise<Report | null> {
  const directory = `${reportDir}/usufruct-${toHex(random(8))}`;
  const at = (name: string): string => `${directory}/${name}`;
  let isMade = false;
  try {
    await files.makeDirectory(directory);
    isMade = true;
    const before = await generationIn(files, at('generation'));
    await files.write(at('inblob'), data);
    const outblob = await files.read(at('outblob'));
    const auxblob = await readOptional(files, at('auxblob'));
    const provider = fromUtf8(await files.read(at('provider'))).trim();
    // One more for our write, and none for anybody else's: otherwise the report may be over other data.
    const isOurs = (await generationIn(files, at('generation'))) === before + 1;
    return isOurs && outblob.length > 0 ? { provider, outblob, auxblob } : null;
  } catch (error) {
    if (error instanceof UsufructError) throw error;
    if (PASSING.includes(kernelCode(error))) return null;
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: reportDir, reason: kernelCode(error) }, error);
  } finally {
    if (isMade) await files.removeDirectory(directory).catch(() => undefined);
  }
}

async function generationIn(files: GuestFiles, path: string): Promise<number> {
  const text = fromUtf8(await files.read(path)).trim();
  if (!/^\d{1,15}$/.test(text)) throw refuse('UPSTREAM_INVALID', { upstream: path, expected: 'a number' });
  return Number(text);
}

/** A provider without supplemental data has no such file. */
async function readOptional(files: GuestFiles, path: string): Promise<Uint8Array> {
  try {
    return await files.read(path);
  } catch (error) {
    if (kernelCode(error) === 'ENOENT') return new Uint8Array();
    throw error;
  }
}

const invalid = ({ reportDir }: TsmOptions, expected: string): UsufructError =>
  refuse('UPSTREAM_INVALID', { upstream: reportDir, expected });
