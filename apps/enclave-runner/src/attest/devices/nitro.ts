import { nsmAttestationRequest, readNsmDocument } from '@usufruct/attestation';
import { refuse } from '@usufruct/kernel';
import type { CpuDevice } from './ports.js';
import { runTool } from './run-tool.js';

export interface NitroOptions {
  /** Absolute path of the program that hands a request to /dev/nsm and prints the answer: infra/enclave/nsm-pipe.c. */
  readonly helper: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Of the module's interface (linux/nsm.h). */
const ANSWER_BYTES_AT_MOST = 12 * 1024;

/**
 * An enclave of AWS Nitro: documents of its security module. The module is asked by ioctl, which Node cannot do, and AWS
 * ships no program that would, so ours is the smallest there can be: one request in, one answer out, both as the module
 * has them. Unproven on hardware.
 *
 * Report data is signed as the user data, and the challenge that it ends in as the nonce.
 */
export function nitroCpu({ helper, timeoutMs = TIMEOUT_MS }: NitroOptions): CpuDevice {
  return {
    profile: 'nitro',
    quote: async (reportData) => {
      const input = nsmAttestationRequest(reportData, reportData.subarray(32));
      const answer = await runTool({
        file: helper,
        args: [],
        input,
        timeoutMs,
        outputBytesAtMost: ANSWER_BYTES_AT_MOST,
      });
      const evidence = readNsmDocument(answer);
      if (evidence === null)
        throw refuse('UPSTREAM_INVALID', { upstream: helper, expected: 'an attestation document' });
      return { evidence, eventLog: [] };
    },
  };
}
