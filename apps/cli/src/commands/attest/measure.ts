import { readFileSync } from 'node:fs';
import {
  composeConfigId,
  composeHash,
  eventDigest,
  isCanonicalCompose,
  encodeNvidiaPolicy,
  nitroMeasurement,
  replayEventLog,
  runtimeRegisterOf,
  tdxIdentityOf,
  tdxMeasurement,
  zTeePolicy,
  type TdxIdentity,
  type TdxPolicy,
  type TeePolicy,
} from '@usufruct/attestation';
import { fromHex, refuse, toBase64, toHex } from '@usufruct/kernel';
import type { Command } from 'commander';
import { zEventName } from '@usufruct/protocol';
import { z } from 'zod';
import { readJsonFile } from '../../files-json.js';
import type { AddCommand } from '../../program.js';

/** A register that nothing was written to: MRCONFIGID of a guest that was started without one. */
const ZEROS = '00'.repeat(48);
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
  mrOwner: zRegister.default(ZEROS),
  mrOwnerConfig: zRegister.default(ZEROS),
  mrServiceTd: zRegister.default(ZEROS),
});
/** What `nitro-cli build-enclave` and `describe-eif` print; an enclave in debug mode has registers of zeros. */
const zCodeRegister = zRegister.refine((hex) => hex !== ZEROS, 'a register that is not zero');
const zBuiltEnclave = z.object({
  Measurements: z.object({ PCR0: zCodeRegister, PCR1: zCodeRegister, PCR2: zCodeRegister }),
});
const zEvents = z.array(z.object({ name: zEventName, payload: zHex })).max(256);
const QUOTE_BYTES_AT_MOST = 64 * 1024;

interface MeasureOptions {
  readonly compose?: string;
  readonly events?: string;
  readonly quote?: string;
  readonly identity?: string;
  readonly pcrs?: string;
  readonly policy?: string;
  readonly imageAlone?: boolean;
}

/** dstack measures it before anything of the application runs, so no application can choose it. */
const COMPOSE_EVENT = 'compose-hash';

const MEASURE_HELP = `
A guest whose MRCONFIGID is zero, under a policy that requires no compose-hash event, may run any application: then no
measurement is printed, unless --image-alone says that the image itself is the application.`;

export const addMeasure = (attest: Command, open: Parameters<AddCommand>[1]): void => {
  attest
    .command('measure')
    .description('what a guest will measure, for a policy; nothing is asked of any network')
    .option('--compose <file>', 'app-compose.json as it is deployed: its hash and MRCONFIGID')
    .option('--events <file>', 'JSON: [{"name", "payload" in hex}, …]: what RTMR3 will be')
    .option('--quote <file>', 'a TDX quote: its registers')
    .option('--identity <file>', 'JSON of registers (from dstack-mr or a quote): mrSeam, mrTd, rtmr0, rtmr1, rtmr2, …')
    .option('--pcrs <file>', 'what nitro-cli build-enclave printed: the registers of an enclave of AWS')
    .option('--policy <file>', 'JSON of what is asked of the hardware: the measurement that a DAO approves')
    .option('--image-alone', 'the image holds the application and starts no other: nothing else need pin one')
    .addHelpText('after', MEASURE_HELP)
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
  const [first, second] = (['quote', 'identity', 'pcrs'] as const).filter((name) => options[name] !== undefined);
  if (second !== undefined)
    throw refuse('INVALID_ARGUMENT', { field: `--${second}`, expected: `not beside --${first}` });
  if (options.pcrs !== undefined && options.policy === undefined) {
    throw refuse('INVALID_ARGUMENT', { field: '--policy', expected: 'beside --pcrs' });
  }
  const identity = await identityOf(options, compose, quote);
  const measured = {
    ...(compose === undefined ? {} : await ofCompose(compose)),
    ...(options.events === undefined ? {} : { rtmr3: await ofEvents(options.events) }),
    ...identity,
    ...(quote === undefined ? {} : { quotedRtmr3: toHex(runtimeRegisterOf(quote) ?? new Uint8Array()) }),
    ...(await ofPolicy(options, identity, compose)),
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
  options: MeasureOptions,
  identity: TdxIdentity | undefined,
  compose: Uint8Array | undefined,
): Promise<Measured> {
  if (options.policy === undefined) return {};
  const policy = readJsonFile(options.policy, zTeePolicy, 'policy');
  if (options.pcrs !== undefined) return ofEnclave(options.pcrs, policy);
  const { tdx, nvidia } = policy;
  if (identity === undefined || tdx === undefined) {
    throw refuse('INVALID_ARGUMENT', { field: '--policy', expected: 'one for TDX, and registers to go with it' });
  }
  const application = await applicationOf(identity, tdx, compose, options.imageAlone === true);
  const companions = nvidia === undefined ? [] : [encodeNvidiaPolicy(nvidia)];
  const measurement = await tdxMeasurement(identity, tdx, companions);
  return { profile: nvidia === undefined ? 'tdx' : 'tdx+nv', application, measurement };
}

/**
 * What says which application the guest runs. Refuses `INVALID_ARGUMENT` where nothing does: firmware, kernel and root
 * file system are measured, but under dstack they start whatever compose file the host hands over.
 */
async function applicationOf(
  { mrConfigId }: TdxIdentity,
  { requiredEvents }: TdxPolicy,
  compose: Uint8Array | undefined,
  isImageAlone: boolean,
): Promise<string> {
  if (mrConfigId !== ZEROS) return 'MRCONFIGID';
  const event = requiredEvents.find(({ name }) => name === COMPOSE_EVENT);
  if (event !== undefined) {
    const isHash = /^[0-9a-f]{64}$/.test(event.payload);
    if (isHash && (compose === undefined || event.payload === (await composeHash(compose)))) {
      return `the event ${COMPOSE_EVENT}`;
    }
    throw refuse('INVALID_ARGUMENT', { field: COMPOSE_EVENT, expected: 'the compose hash of the application' });
  }
  if (isImageAlone) return 'the image alone';
  throw refuse('INVALID_ARGUMENT', {
    field: '--policy',
    expected: `an MRCONFIGID that is not zero, the event ${COMPOSE_EVENT} among requiredEvents, or --image-alone`,
  });
}

/** Of an enclave of AWS Nitro; its image holds the application. Refuses the registers of one in debug mode. */
async function ofEnclave(path: string, { nitro }: TeePolicy): Promise<Measured> {
  const { PCR0: pcr0, PCR1: pcr1, PCR2: pcr2 } = readJsonFile(path, zBuiltEnclave, 'pcrs').Measurements;
  if (nitro === undefined) throw refuse('INVALID_ARGUMENT', { field: '--policy', expected: 'one for Nitro' });
  return {
    profile: 'nitro',
    application: 'PCR0 to PCR2',
    measurement: await nitroMeasurement({ pcr0, pcr1, pcr2 }, nitro),
  };
}

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
  application: 'application pinned by',
};

const linesOf = (measured: Measured): string[] =>
  Object.entries(measured).map(([name, value]) => {
    const label = LABELS[name] ?? name;
    return `${label.padEnd(24)} ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : value}`;
  });
