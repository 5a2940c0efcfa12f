import {
  checkThat,
  concatBytes,
  equalBytes,
  failed,
  fromBase64,
  toHex,
  u32le,
  utf8,
  type Check,
} from '@usufruct/kernel';
import { zEventName, type RuntimeEvent } from '@usufruct/protocol';

/** Event type of application events in a dstack event log. */
const APPLICATION_EVENT = 0x08000001;
export const REGISTER_BYTES = 48;

const sha384 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-384', bytes));

/** SHA-384(le32(0x08000001) ‖ ":" ‖ name ‖ ":" ‖ payload) (ATTESTATION.md, TDX 7). */
export const eventDigest = (name: string, payload: Uint8Array): Promise<Uint8Array> =>
  sha384(concatBytes(u32le(APPLICATION_EVENT), utf8(':'), utf8(name), utf8(':'), payload));

/**
 * The value of a runtime measurement register after these events: r ← SHA-384(r ‖ digest), from zeros. Every digest is
 * recomputed from name and payload; the supplied one is compared and otherwise ignored.
 * Returns null if a supplied digest is not the event's own, or for a name that none may have (`zEventName`).
 */
export async function replayEventLog(events: readonly RuntimeEvent[]): Promise<Uint8Array | null> {
  let register: Uint8Array = new Uint8Array(REGISTER_BYTES);
  for (const event of events) {
    if (!zEventName.safeParse(event.name).success) return null;
    const digest = await eventDigest(event.name, fromBase64(event.payload, 'payload'));
    if (toHex(digest) !== event.digest) return null;
    register = await sha384(concatBytes(register, digest));
  }
  return register;
}

/** The event log replays to the register, which a quote holds, every digest recomputed from name and payload. */
export async function checkEventLog(events: readonly RuntimeEvent[], register: Uint8Array): Promise<Check> {
  const replayed = await replayOrNull(events);
  if (replayed === null)
    return failed('RTMR', 'an event has a digest that is not its own, or a name that none may have');
  return checkThat('RTMR', equalBytes(replayed, register), 'the event log does not replay to the register');
}

async function replayOrNull(events: readonly RuntimeEvent[]): Promise<Uint8Array | null> {
  try {
    return await replayEventLog(events);
  } catch {
    return null;
  }
}
