import { readFileSync } from 'node:fs';
import {
  composeConfigId,
  composeHash,
  eventDigest,
  evidenceMeasurement,
  isCanonicalCompose,
  encodeNvidiaPolicy,
  replayEventLog,
  runtimeRegisterOf,
  tdxIdentityOf,
  tdxMeasurement,
  zTeePolicy,
  type TdxIdentity,
  type TeePolicy,
} from '@usufruct/attestation';
import { fromHex, refuse, toBase64, toHex } from '@usufruct/kernel';
import type { Command } from 'commander';
import { zEventName } from '@usufruct/protocol';
import { z } from 'zod';
import { readJsonFile } from '../../files-json.js';
import type { AddCommand } from '../../program.js';

const zRegister = z.string().regex(/^[0-9a-f]{96}$/);
const zHex = z.string().regex(/^([0-9a-f]{2})*$/);
/** As `dstack-mr` and a guest's own quote give them. */
const zIdentity = z.strictObject({
  mrSeam: zRegister,
  mrTd: zRegister,
  rtmr0: zRegister,
  rtmr1: zRegister,
  rtmr2: zRegister,
  mrConfigId: zRegister.optional(),
  mrOwner: zRegister.default('00'.repeat(48)),
  mrOwnerConfig: zRegister.default('00'.repeat(48)),
  mrServiceTd: zRegister.default('00'.repeat(48)),
});
const zEvents = z.array(z.object({ name: zEventName, payload: zHex })).max(256);
const QUOTE_BYTES_AT_MOST = 64 * 1024;

interface MeasureOptions {
  readonly compose?: string;
  readonly events?: string;
  readonly quote?: string;
  readonly identity?: string;
  readonly policy?: string;
}

export const addMeasure = (attest: Command, open: Parameters<AddCommand>[1]): void => {
  attest
    .command('measure')
    .description('what a guest will measure, for a policy; nothing is asked of any network')
    .option('--compose <file>', 'app-compose.json as it is deployed: its hash and MRCONFIGID')
    .option('--events <file>', 'JSON: [{"name", "payload" in hex}, …]: what RTMR3 will be')
    .option('--quote <file>', 'a TDX quote: its registers')
    .option('--identity <file>', 'JSON of registers (from dstack-mr or a quote): mrSeam, mrTd, rtmr0, rtmr1, rtmr2, …')
    .option('--policy <file>', 'JSON of what is asked of the hardware: the measurement that a DAO approves')
    .action(async (options: MeasureOptions, command) => {
      const measured = await measure(options);
      const { terminal } = open(command);
      terminal.result(measured, linesOf(measured));
    });
};

type Measured = Readonly<Record<string, string | boolean>>;

/** The same files give the same answer, whoever asks and whenever. */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const compose = options.compose === undefined ? undefined : readBytes(options.compose, 'compose');
  const quote = options.quote === undefined ? undefined : readBytes(options.quote, 'quote', QUOTE_BYTES_AT_MOST);
  if (options.quote !== undefined && options.identity !== undefined) {
    throw refuse('INVALID_ARGUMENT', { field: '--identity', expected: 'not beside --quote' });
  }
  const identity = await identityOf(options, compose, quote);
  const measured = {
    ...(compose === undefined ? {} : await ofCompose(compose)),
    ...(options.events === undefined ? {} : { rtmr3: await ofEvents(options.events) }),
    ...identity,
    ...(quote === undefined ? {} : { quotedRtmr3: toHex(runtimeRegisterOf(quote) ?? new Uint8Array()) }),
    ...(await ofPolicy(options, identity, quote)),
  };
  if (Object.keys(measured).length > 0) return measured;
  throw refuse('INVALID_ARGUMENT', { field: 'options', expected: '--compose, --events, --quote or --identity' });
}

const ofCompose = async (compose: Uint8Array): Promise<Measured> => ({
  composeHash: await composeHash(compose),
  mrConfigId: await composeConfigId(compose),
  composeIsCanonical: isCanonicalCompose(compose),
});

async function ofEvents(path: string): Promise<string> {
  const events = await Promise.all(
    readJsonFile(path, zEvents, 'events').map(async ({ name, payload: hex }) => {
      const payload = fromHex(hex);
      return { name, payload: toBase64(payload), digest: toHex(await eventDigest(name, payload)) };
    }),
  );
  return toHex((await replayEventLog(events)) ?? new Uint8Array());
}

async function identityOf(
  options: MeasureOptions,
  compose: Uint8Array | undefined,
  quote: Uint8Array | undefined,
): Promise<TdxIdentity | undefined> {
  if (quote !== undefined) {
    const identity = tdxIdentityOf(quote);
    if (identity === null) throw refuse('INVALID_ARGUMENT', { field: '--quote', expected: 'one TDX quote' });
    return identity;
  }
  if (options.identity === undefined) return undefined;
  const given = readJsonFile(options.identity, zIdentity, 'identity');
  const fromCompose = compose === undefined ? undefined : await composeConfigId(compose);
  const mrConfigId = given.mrConfigId ?? fromCompose;
  if (mrConfigId === undefined || (fromCompose !== undefined && fromCompose !== mrConfigId)) {
    throw refuse('INVALID_ARGUMENT', { field: 'mrConfigId', expected: 'that of --compose' });
  }
  return { ...given, mrConfigId };
}

async function ofPolicy(
  { policy: path }: MeasureOptions,
  identity: TdxIdentity | undefined,
  quote: Uint8Array | undefined,
): Promise<Measured> {
  if (path === undefined) return {};
  const policy = readJsonFile(path, zTeePolicy, 'policy');
  const { tdx, nvidia } = policy;
  if (identity === undefined || tdx === undefined) {
    throw refuse('INVALID_ARGUMENT', { field: '--policy', expected: 'one for TDX, and registers to go with it' });
  }
  const profile = nvidia === undefined ? 'tdx' : 'tdx+nv';
  const measurement = await measurementOf(identity, quote, profile, policy);
  return { profile, measurement: measurement ?? '' };
}

const measurementOf = (
  identity: TdxIdentity,
  quote: Uint8Array | undefined,
  profile: 'tdx' | 'tdx+nv',
  policy: TeePolicy,
): Promise<string | null> => {
  if (quote !== undefined) return evidenceMeasurement(profile, quote, policy);
  const { tdx, nvidia } = policy;
  if (tdx === undefined) return Promise.resolve(null);
  return tdxMeasurement(identity, tdx, nvidia === undefined ? [] : [encodeNvidiaPolicy(nvidia)]);
};

function readBytes(path: string, field: string, atMost = 1024 * 1024): Uint8Array {
  try {
    const bytes = new Uint8Array(readFileSync(path));
    if (bytes.length <= atMost) return bytes;
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: field, path }, cause);
  }
  throw refuse('INVALID_ARGUMENT', { field: `--${field}`, expected: `at most ${atMost} bytes` });
}

const LABELS: Readonly<Record<string, string>> = {
  composeHash: 'compose hash',
  composeIsCanonical: 'in canonical form',
  quotedRtmr3: 'RTMR3 in the quote',
  measurement: 'measurement to approve',
};

const linesOf = (measured: Measured): string[] =>
  Object.entries(measured).map(([name, value]) => {
    const label = LABELS[name] ?? name;
    return `${label.padEnd(24)} ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : value}`;
  });
