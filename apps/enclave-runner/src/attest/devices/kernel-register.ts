import { eventDigest, REGISTER_BYTES, replayEventLog } from '@usufruct/attestation';
import { equalBytes, fromUtf8, refuse, toBase64, toHex, utf8, type UsufructError } from '@usufruct/kernel';
import { zRuntimeEvent, type RuntimeEvent } from '@usufruct/protocol';
import { z } from 'zod';
import { kernelCode, type GuestFiles } from './guest-files.js';

/** A runtime measurement register and the log of what it was extended with. */
export interface RuntimeRegister {
  events(): Promise<readonly RuntimeEvent[]>;
  extend(name: string, payload: Uint8Array): Promise<void>;
}

export interface KernelRegisterOptions {
  readonly files: GuestFiles;
  /** `/sys/devices/virtual/misc/tdx_guest/measurements` (Linux 6.16 or newer). */
  readonly measurementsDir: string;
  /**
   * Our log. It must not outlive the boot, as the register does not, and must outlive this process: a file in memory,
   * such as under /run.
   */
  readonly logFile: string;
}

const zLog = z.array(zRuntimeEvent).max(256);

/**
 * RTMR3 through the kernel's measurement registers (Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest):
 * 48 bytes written extend it, reading gives its value. An event is written to the log before it is measured, so a log
 * that is one event ahead says that we were killed in between; any other difference means that somebody else extended
 * the register, whose events nobody can show, and is refused. Null where the kernel has no such file.
 */
export async function openKernelRegister(options: KernelRegisterOptions): Promise<RuntimeRegister | null> {
  const { files, measurementsDir, logFile } = options;
  const path = `${measurementsDir}/rtmr3:sha384`;
  const value = await readOrNull(files, path);
  if (value === null) return null;
  if (value.length !== REGISTER_BYTES) throw refuse('UPSTREAM_INVALID', { upstream: path, expected: '48 bytes' });
  let log = await measuredPart(await readLog(files, logFile), value, logFile);
  const write = (events: readonly RuntimeEvent[]): Promise<void> => files.write(logFile, utf8(JSON.stringify(events)));
  await write(log);
  return {
    events: () => Promise.resolve(log),
    extend: async (name, payload) => {
      const digest = await eventDigest(name, payload);
      const longer = [...log, { name, payload: toBase64(payload), digest: toHex(digest) }];
      await write(longer);
      await files.write(path, digest);
      const after = await files.read(path);
      if (!equalBytes(after, (await replayEventLog(longer)) ?? new Uint8Array())) throw foreign(logFile);
      log = longer;
    },
  };
}

/** The log, or the log without its last event where that one never reached the register. */
async function measuredPart(
  log: readonly RuntimeEvent[],
  register: Uint8Array,
  logFile: string,
): Promise<readonly RuntimeEvent[]> {
  for (const candidate of [log, log.slice(0, -1)]) {
    const replayed = await replayEventLog(candidate);
    if (replayed !== null && equalBytes(replayed, register)) return candidate;
  }
  throw foreign(logFile);
}

async function readLog(files: GuestFiles, logFile: string): Promise<readonly RuntimeEvent[]> {
  const bytes = await readOrNull(files, logFile);
  if (bytes === null) return [];
  try {
    return zLog.parse(JSON.parse(fromUtf8(bytes)));
  } catch {
    throw foreign(logFile);
  }
}

async function readOrNull(files: GuestFiles, path: string): Promise<Uint8Array | null> {
  try {
    return await files.read(path);
  } catch (error) {
    if (kernelCode(error) === 'ENOENT') return null;
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: path, reason: kernelCode(error) }, error);
  }
}

const foreign = (logFile: string): UsufructError =>
  refuse('CONFIG_INVALID', {
    setting: 'TEE_EVENT_LOG_FILE',
    file: logFile,
    expected: 'the log of everything that RTMR3 was extended with since this guest was started',
  });
