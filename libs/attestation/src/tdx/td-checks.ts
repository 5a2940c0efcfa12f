import {
  checkThat,
  concatBytes,
  equalBytes,
  failed,
  fromBase64,
  fromHex,
  passed,
  skipped,
  toHex,
  utf8,
  type Check,
} from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import type { TdxIdentity, TdxPolicy } from '../policy/tdx-policy.js';
import type { TdReport } from './quote.js';

/** TD attributes (Intel TDX Module ABI, ATTRIBUTES): bit 0 and bit 28 of the little-endian 64. */
const DEBUG = { byte: 0, bit: 0x01 };
const SEPT_VE_DISABLE = { byte: 3, bit: 0x10 };
const COMPOSE_PREFIX = Uint8Array.of(1);

export const isDebug = ({ tdAttributes }: TdReport): boolean => (tdAttributes[DEBUG.byte]! & DEBUG.bit) !== 0;

/**
 * Intel TDX Module ABI, ATTRIBUTES: DEBUG is off whatever the policy says, SEPT_VE_DISABLE is on (otherwise the host can
 * inject exceptions by unmapping pages), and nothing else is set that the policy does not allow: MIGRATABLE, PKS, KL and
 * PERFMON widen what the host can do or see.
 */
export function checkTdAttributes(report: TdReport, policy: TdxPolicy): Check {
  if (isDebug(report)) return failed('TD_ATTRIBUTES', 'DEBUG is set: the host can read the memory');
  const { tdAttributes } = report;
  if ((tdAttributes[SEPT_VE_DISABLE.byte]! & SEPT_VE_DISABLE.bit) === 0) {
    return failed('TD_ATTRIBUTES', 'SEPT_VE_DISABLE is not set');
  }
  const allowed = fromHex(policy.tdAttributesAllowed);
  allowed[SEPT_VE_DISABLE.byte] = allowed[SEPT_VE_DISABLE.byte]! | SEPT_VE_DISABLE.bit;
  const isWithin = tdAttributes.every((byte, i) => (byte & ~allowed[i]!) === 0);
  return checkThat('TD_ATTRIBUTES', isWithin, 'an attribute is set that the policy does not allow');
}

/** Intel TDX Module ABI, XFAM: the extended features that the TD may use are one of the policy's values. */
export const checkXfam = ({ xfam }: TdReport, { xfams }: TdxPolicy): Check =>
  checkThat('XFAM', xfams.includes(toHex(xfam)), 'XFAM is not one of the policy');

/** Before what a model is for; the event's payload is the SHA-256 of its file, or of its list of files. */
export const MODEL_EVENT_PREFIX = 'model-hash/';

/**
 * The policy's events are in the log, each exactly once and with the payload that the policy gives; and no model is that
 * the policy does not name: a runner measures the hash of each that it is to use.
 */
export function checkRequiredEvents(events: readonly RuntimeEvent[], { requiredEvents }: TdxPolicy): Check {
  const payloadsOf = (wanted: string): string[] =>
    events.filter(({ name }) => name === wanted).map(({ payload }) => toHex(fromBase64(payload)));
  try {
    const missing = requiredEvents.find(({ name, payload }) => {
      const found = payloadsOf(name);
      return found.length !== 1 || found[0] !== payload;
    });
    if (missing !== undefined) return failed('EVENTS', `the event ${missing.name} is not there once as approved`);
    const isNamed = (event: string): boolean => requiredEvents.some(({ name }) => name === event);
    const stray = events.find(({ name }) => name.startsWith(MODEL_EVENT_PREFIX) && !isNamed(name));
    return checkThat('EVENTS', stray === undefined, `the policy names no ${stray?.name}`);
  } catch {
    return failed('EVENTS', 'the payload of an event is malformed');
  }
}

/** MRCONFIGID as dstack uses it: 0x01 ‖ SHA-256(app compose) ‖ zeros; only where the bundle shows an app compose. */
export async function checkConfigId(appCompose: string | undefined, { mrConfigId }: TdReport): Promise<Check> {
  if (appCompose === undefined) return skipped('CONFIG_ID', 'the bundle shows no app compose');
  const digest = await crypto.subtle.digest('SHA-256', concatBytes(utf8(appCompose)));
  const expected = concatBytes(COMPOSE_PREFIX, new Uint8Array(digest), new Uint8Array(15));
  return equalBytes(mrConfigId, expected)
    ? passed('CONFIG_ID')
    : failed('CONFIG_ID', 'MRCONFIGID is not that of the app compose');
}

export const identityOf = (report: TdReport): TdxIdentity => ({
  mrSeam: toHex(report.mrSeam),
  mrTd: toHex(report.mrTd),
  rtmr0: toHex(report.rtmr[0]),
  rtmr1: toHex(report.rtmr[1]),
  rtmr2: toHex(report.rtmr[2]),
  mrConfigId: toHex(report.mrConfigId),
  mrOwner: toHex(report.mrOwner),
  mrOwnerConfig: toHex(report.mrOwnerConfig),
  mrServiceTd: toHex(report.mrServiceTd),
});
