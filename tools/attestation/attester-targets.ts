import { readGpuEvidence, readNsmDocument } from '@usufruct/attestation';
import {
  createGpuIdentity,
  createNvidiaPki,
  createSnpPki,
  createTdxPki,
  encodeCbor,
  signGpuEvidence,
  signTdxQuote,
} from '@usufruct/attestation-dev';
import { concatBytes, fromHex, toBase64, toHex, u32le, utf8 } from '@usufruct/kernel';
import { dstackCpu } from '../../apps/enclave-runner/src/attest/devices/dstack.ts';
import { readCollected, readMode } from '../../apps/enclave-runner/src/attest/devices/nvidia.ts';
import { endorsementKeyOf } from '../../apps/enclave-runner/src/attest/devices/snp-certificates.ts';
import type { FuzzMakers } from './fuzz-loop.ts';
import { filled, isRead, json, jsonOf, NONCE, NOW_MS, textOf } from './inputs.ts';

/* What the runner reads on its own machine: the guest agent, the host and the vendor's tools answer in these formats. */

export const ATTESTER_MAKERS: FuzzMakers = {
  dstack: async () => {
    const pki = await createTdxPki(NOW_MS);
    const quote = toHex(await signTdxQuote({ pki, version: 4, report: { mrConfigId: filled(1, 48) } }));
    const event = { imr: 3, event_type: 0x08000001, digest: '00'.repeat(48), event: 'compose-hash' };
    const log = [
      { ...event, event_payload: 'ab'.repeat(32) },
      { ...event, imr: 0, event_payload: '' },
    ];
    const answers = {
      GetQuote: { quote, event_log: JSON.stringify(log), report_data: '00' },
      Info: { tcb_info: JSON.stringify({ app_compose: '{"name":"usufruct"}' }) },
    };
    const accepts = async (bytes: Uint8Array): Promise<boolean> => {
      const said = jsonOf(bytes);
      const isObject = typeof said === 'object' && said !== null;
      const cpu = await dstackCpu((method) =>
        Promise.resolve(isObject ? (said as Record<string, unknown>)[method] : undefined),
      );
      return cpu.profile === 'tdx';
    };
    return { seeds: [json(answers)], accepts };
  },
  'snp-table': async () => {
    const { leaf, ask } = await createSnpPki({ nowMs: NOW_MS });
    const [vcek, other] = ['63da758de6644564adc5f4b93be8accd', '4ab7b379bbac4fe4a02f05aef327c782'];
    const at = 3 * 24;
    const entry = (guid: string, offset: number, length: number): Uint8Array =>
      concatBytes(fromHex(guid), u32le(offset), u32le(length));
    const table = concatBytes(
      entry(other, at, ask.der.length),
      entry(vcek, at + ask.der.length, leaf.der.length),
      new Uint8Array(24),
      ask.der,
      leaf.der,
    );
    return { seeds: [table], accepts: (bytes) => isRead(endorsementKeyOf(bytes)) };
  },
  nvattest: async () => {
    const pki = await createNvidiaPki(NOW_MS);
    const identity = await createGpuIdentity({ pki, nowMs: NOW_MS, firmwareId: filled(1, 48) });
    const { exchange, chain } = readGpuEvidence(await signGpuEvidence({ pki, identity, nonce: NONCE }))!;
    const [evidence, certificate] = [toBase64(exchange), toBase64(chain)];
    const printed = { result_code: 0, evidences: [{ evidence, certificate, arch: 'HOPPER' }] };
    const accepts = (bytes: Uint8Array): boolean =>
      readCollected(bytes, { tool: 'nvattest', device: 'gpu', nonce: NONCE }).length > 0;
    return {
      seeds: [json(printed), json({ ...printed, evidences: [...printed.evidences, ...printed.evidences] })],
      accepts,
    };
  },
  nsm: () =>
    Promise.resolve({
      seeds: [encodeCbor({ pairs: [['Attestation', { pairs: [['document', new Uint8Array(600)]] }]] })],
      accepts: (bytes) => isRead(readNsmDocument(bytes)),
    }),
  'nvidia-smi': () =>
    Promise.resolve({
      seeds: [utf8('CC status: ON\nDevTools Mode: OFF\n'), utf8('\n  CC status: OFF \r\n DevTools Mode: ON\n')],
      // No more than the runner takes of it.
      accepts: (bytes) => isRead(readMode('nvidia-smi', ...twice(textOf(bytes.subarray(0, 16 * 1024))))),
    }),
};

const twice = (text: string): [string, string] => [text, text];
