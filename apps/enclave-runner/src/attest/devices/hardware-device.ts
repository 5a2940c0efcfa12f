import {
  evidenceMeasurement,
  GPU_EVENTS,
  gpuAttestationPayload,
  gpuPolicyPayload,
  MODEL_EVENT_PREFIX,
  readGpuEvidence,
  replayEventLog,
  runtimeRegisterOf,
  type TeeDevice,
  type TeePolicy,
} from '@usufruct/attestation';
import { equalBytes, fromBase64, refuse, type RandomSource } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import type { CpuDevice, GpuTokenSource, GpuTool } from './ports.js';

export interface HardwareOptions {
  readonly cpu: CpuDevice;
  /** Missing: the runner uses no GPU, and its evidence says nothing about any. */
  readonly gpus?: GpuTool;
  /** NVIDIA's attestation service; needed where the policy requires its token. */
  readonly tokens?: GpuTokenSource;
  /** Told when evidence goes out without a token that the policy does not require. */
  readonly onTokenMissing?: (error: unknown) => void;
  /** The document that the approved measurement was computed under. */
  readonly policy: TeePolicy;
  /** 32 bytes: the digest of the image that runs, for the event of this name. */
  readonly imageDigest?: Uint8Array;
  /** Each an event of its own, which the policy must name. */
  readonly models?: readonly MeasuredModel[];
  readonly random: RandomSource;
}

/** A model that the runner is to use: what for (`generator`), and the 32 bytes that it is known by. */
export interface MeasuredModel {
  readonly role: string;
  readonly sha256: Uint8Array;
}

/** The event that names the image; a policy may require it. */
const IMAGE_DIGEST_EVENT = 'image-digest';

interface OwnEvent {
  readonly name: string;
  readonly payload: Uint8Array;
}

/**
 * A TEE device on real hardware. What is to be known about the image and the GPUs is measured into the runtime register
 * before the first evidence leaves, once a boot: after a restart of the process the events are there already, and with
 * another content they are refused, since a register cannot be taken back.
 *
 * Refuses `CONFIG_INVALID` for a policy that does not fit the hardware, and what the devices refuse.
 */
export async function openHardwareDevice(options: HardwareOptions): Promise<TeeDevice> {
  const { cpu, gpus, policy } = options;
  const profile = profileOf(options);
  const gpuToken = tokensOf(options);
  await measureOnce(cpu, await ownEvents(options));
  const { evidence, eventLog } = await cpu.quote(new Uint8Array(64));
  if (cpu.profile === 'tdx') await requireReplay(evidence, eventLog);
  const measurement = await evidenceMeasurement(profile, evidence, policy);
  if (measurement === null) throw unfit(`a policy for ${profile}`);
  let latest = eventLog;
  return {
    profile,
    standIn: false,
    measurement: () => Promise.resolve(measurement),
    quote: async (reportData) => {
      const quoted = await cpu.quote(reportData);
      latest = quoted.eventLog;
      return quoted.evidence;
    },
    ...(gpus === undefined ? {} : { gpuEvidence: (nonce: Uint8Array) => gpus.evidence(nonce) }),
    ...(gpuToken === undefined ? {} : { gpuToken }),
    get eventLog() {
      return latest;
    },
    ...(cpu.appCompose === undefined ? {} : { appCompose: cpu.appCompose }),
  };
}

function profileOf({ cpu, gpus, policy }: HardwareOptions): 'tdx' | 'tdx+nv' | 'snp' | 'nitro' {
  if (policy[cpu.profile] === undefined) throw unfit(`a policy for ${cpu.profile}`);
  if ((gpus === undefined) !== (policy.nvidia === undefined)) {
    throw unfit('a policy for GPUs where there are GPUs, and nowhere else');
  }
  if (gpus === undefined) return cpu.profile;
  if (cpu.profile !== 'tdx') throw refuse('PROFILE_UNSUPPORTED', { profile: `${cpu.profile}+nv` });
  return 'tdx+nv';
}

/** As the policy wants it: a token that is required and not there is refused, one that is welcome is left out. */
function tokensOf({ policy, tokens, onTokenMissing }: HardwareOptions): TeeDevice['gpuToken'] {
  const wanted = policy.nvidia?.token;
  if (tokens === undefined && wanted === 'required') {
    throw refuse('CONFIG_INVALID', { setting: 'NRAS_URL', expected: 'the service whose token the policy requires' });
  }
  if (tokens === undefined) return undefined;
  if (wanted === undefined) {
    throw refuse('CONFIG_INVALID', { setting: 'NRAS_URL', expected: 'nothing: the policy asks for no token' });
  }
  if (wanted === 'required') return (nonce, evidence) => tokens.token(nonce, evidence);
  return (nonce, evidence) => tokens.token(nonce, evidence).catch((error: unknown) => void onTokenMissing?.(error));
}

async function ownEvents({ cpu, gpus, policy, imageDigest, models, random }: HardwareOptions): Promise<OwnEvent[]> {
  const image = imageDigest === undefined ? [] : [{ name: IMAGE_DIGEST_EVENT, payload: imageDigest }];
  const gpu = gpus === undefined || policy.nvidia === undefined ? [] : await gpuEvents(gpus, policy.nvidia, random);
  const model = (models ?? []).map(({ role, sha256 }) => ({ name: `${MODEL_EVENT_PREFIX}${role}`, payload: sha256 }));
  const events = [...image, ...gpu, ...model];
  if (events.length > 0 && cpu.extend === undefined) {
    throw refuse('CONFIG_INVALID', {
      setting: 'TEE_DEVICE',
      expected: 'a guest that lets us extend its runtime register (dstack, or Linux 6.16 on TDX)',
    });
  }
  return events;
}

/** What a GPU says now about who it is, in the mode that the driver reports: the statement that the register keeps. */
async function gpuEvents(
  gpus: GpuTool,
  policy: NonNullable<TeePolicy['nvidia']>,
  random: RandomSource,
): Promise<OwnEvent[]> {
  const evidence = await gpus.evidence(random(32));
  const deviceIds = evidence.flatMap((bytes) => readGpuEvidence(bytes)?.deviceId ?? []);
  if (deviceIds.length !== evidence.length) throw refuse('UPSTREAM_INVALID', { upstream: 'GPU evidence' });
  return [
    { name: GPU_EVENTS.policy, payload: gpuPolicyPayload(policy) },
    { name: GPU_EVENTS.attestation, payload: gpuAttestationPayload(await gpus.mode(), deviceIds) },
  ];
}

/** The events have names of their own, so the log as it was before the first tells which of them are in it. */
async function measureOnce(cpu: CpuDevice, events: readonly OwnEvent[]): Promise<void> {
  if (events.length === 0) return;
  const { eventLog } = await cpu.quote(new Uint8Array(64));
  for (const { name, payload } of events) {
    const found = eventLog.filter((event) => event.name === name);
    const [only] = found;
    if (only === undefined) {
      await cpu.extend?.(name, payload);
    } else if (found.length > 1 || !equalBytes(fromBase64(only.payload), payload)) {
      throw refuse('CONFIG_INVALID', {
        setting: 'runtime register',
        event: name,
        expected: 'a guest started anew: it has measured something else already',
      });
    }
  }
}

async function requireReplay(quote: Uint8Array, eventLog: readonly RuntimeEvent[]): Promise<void> {
  const [register, replayed] = [runtimeRegisterOf(quote), await replayEventLog(eventLog)];
  if (register !== null && replayed !== null && equalBytes(register, replayed)) return;
  throw refuse('UPSTREAM_INVALID', { upstream: 'TEE device', expected: 'an event log that replays to RTMR3' });
}

const unfit = (expected: string): Error => refuse('CONFIG_INVALID', { setting: 'TEE_POLICY_FILE', expected });
