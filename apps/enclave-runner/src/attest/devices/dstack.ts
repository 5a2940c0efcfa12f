import { eventDigest, tdxIdentityOf } from '@usufruct/attestation';
import { fromHex, parseJson, refuse, toBase64, toHex, UsufructError } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { z } from 'zod';
import type { DstackCall } from './dstack-client.js';
import type { CpuDevice, Quoted } from './ports.js';

/** Register and type of dstack's runtime events; those of the other registers were measured at boot. */
const RUNTIME_REGISTER = 3;
const APPLICATION_EVENT = 0x08000001;
const LOG_CHARS_AT_MOST = 4 * 1024 * 1024;

const zHex = z.string().regex(/^(?:0x)?(?:[0-9a-fA-F]{2})*$/);
const zQuote = z.object({ quote: zHex, event_log: z.string().max(LOG_CHARS_AT_MOST) });
const zLog = z
  .array(
    z.object({
      imr: z.int(),
      event_type: z.int(),
      event: z.string().max(128),
      event_payload: zHex,
      /** 2 for events that are hashed as canonical JSON, which no verifier here reads. */
      version: z.int().optional(),
    }),
  )
  .max(4096);
const zInfo = z.object({ tcb_info: z.string().max(LOG_CHARS_AT_MOST) });
const zTcbInfo = z.object({ app_compose: z.string() });

/** MRCONFIGID of a TD that was started without one. */
const NO_CONFIG_ID = '00'.repeat(48);

/** A TD under dstack: quotes, RTMR3 and the app compose through its guest agent. */
export async function dstackCpu(call: DstackCall): Promise<CpuDevice> {
  const quote = async (reportData: Uint8Array): Promise<Quoted> => {
    const answer = parse(zQuote, await call('GetQuote', { report_data: toHex(reportData) }), 'GetQuote');
    const log = parse(zLog, parseJson(answer.event_log), 'GetQuote');
    const events = log.filter(({ imr }) => imr === RUNTIME_REGISTER);
    return { evidence: bytesOf(answer.quote), eventLog: await Promise.all(events.map(toRuntimeEvent)) };
  };
  const { evidence } = await quote(new Uint8Array(64));
  const identity = tdxIdentityOf(evidence);
  if (identity === null) throw invalid('GetQuote');
  const appCompose = identity.mrConfigId === NO_CONFIG_ID ? undefined : await appComposeOf(call);
  return {
    profile: 'tdx',
    quote,
    extend: async (name, payload) => {
      await call('EmitEvent', { event: name, payload: toHex(payload) });
    },
    ...(appCompose === undefined ? {} : { appCompose }),
  };
}

/** The digest is computed here: newer agents leave it out of the log, and the verifier computes its own in any case. */
async function toRuntimeEvent(event: z.output<typeof zLog>[number]): Promise<RuntimeEvent> {
  if (event.event_type !== APPLICATION_EVENT || (event.version ?? 1) !== 1) {
    throw refuse('UPSTREAM_INVALID', {
      upstream: "dstack's guest agent",
      method: 'GetQuote',
      expected: 'runtime events of version 1',
    });
  }
  const payload = bytesOf(event.event_payload);
  const digest = toHex(await eventDigest(event.event, payload));
  return { name: event.event, payload: toBase64(payload), digest };
}

async function appComposeOf(call: DstackCall): Promise<string> {
  const { tcb_info: text } = parse(zInfo, await call('Info', {}), 'Info');
  return parse(zTcbInfo, parseJson(text), 'Info').app_compose;
}

const bytesOf = (hex: string): Uint8Array => fromHex(hex.replace(/^0x/, '').toLowerCase());
const invalid = (method: string): UsufructError =>
  refuse('UPSTREAM_INVALID', { upstream: "dstack's guest agent", method });

function parse<T>(shape: z.ZodType<T>, value: unknown, method: string): T {
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw invalid(method);
  return parsed.data;
}
