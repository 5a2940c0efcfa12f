import { eventDigest, replayEventLog } from '@usufruct/attestation';
import { signTdxQuote, type GpuSource, type QuoteRequest, type TdxPki } from '@usufruct/attestation-dev';
import { concatBytes, fromHex, fromUtf8, toBase64, toHex, utf8 } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { createHash } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { GuestFiles } from '../../apps/enclave-runner/src/attest/devices/guest-files.js';

/*
 * DEV ONLY: what stands around a runner in a confidential guest (dstack's agent, the kernel's files, NVIDIA's tools), each
 * speaking its real interface over evidence of the software TEE.
 */

/** A TD whose register can be extended: quotes are in Intel's format over whatever the register holds then. */
export class ExtensibleTd {
  readonly log: RuntimeEvent[] = [];

  constructor(
    private readonly pki: TdxPki,
    private readonly request: Partial<QuoteRequest> = {},
  ) {}

  async extend(name: string, payload: Uint8Array): Promise<void> {
    this.log.push({ name, payload: toBase64(payload), digest: toHex(await eventDigest(name, payload)) });
  }

  register = async (): Promise<Uint8Array> => (await replayEventLog(this.log)) ?? new Uint8Array();

  async quote(reportData: Uint8Array): Promise<Uint8Array> {
    const report = { ...this.request.report, rtmr3: await this.register(), reportData };
    return signTdxQuote({ pki: this.pki, ...this.request, report });
  }
}

/** MRCONFIGID as dstack OS 0.5.1 sets it: 0x01 ‖ SHA-256 of the app compose ‖ zeros. */
export const configIdOf = (appCompose: string): Uint8Array =>
  concatBytes(Uint8Array.of(1), createHash('sha256').update(appCompose).digest(), new Uint8Array(15));

export interface AgentOptions {
  readonly socket: string;
  readonly td: ExtensibleTd;
  readonly appCompose?: string;
  /** In place of the real answer; undefined: the real one. */
  readonly answer?: (path: string, body: Record<string, string>) => { status: number; text: string } | undefined;
}

/** dstack's guest agent (sdk/curl/api.md): GetQuote, EmitEvent, Info. */
export async function startDstackAgent(options: AgentOptions): Promise<HttpServer> {
  const server = createHttpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      void respond(options, request.url ?? '', JSON.parse(Buffer.concat(parts).toString('utf8')), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(options.socket, resolve));
  return server;
}

async function respond(
  options: AgentOptions,
  path: string,
  body: Record<string, string>,
  response: ServerResponse,
): Promise<void> {
  try {
    const { status, text } = await agentAnswer(options, path, body);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  } catch {
    response.destroy();
  }
}

async function agentAnswer({ td, appCompose = '', answer }: AgentOptions, path: string, body: Record<string, string>) {
  const other = answer?.(path, body);
  if (other !== undefined) return other;
  const json = (value: object) => ({ status: 200, text: JSON.stringify(value) });
  if (path === '/EmitEvent') {
    await td.extend(body['event'] ?? '', fromHex(body['payload'] ?? ''));
    return { status: 200, text: '' };
  }
  if (path === '/Info') return json({ app_id: '00', tcb_info: JSON.stringify({ app_compose: appCompose }) });
  if (path !== '/GetQuote') return { status: 404, text: '{"error":"no such method"}' };
  const reportData = fromHex((body['report_data'] ?? '').padEnd(128, '0'));
  return json({ quote: toHex(await td.quote(reportData)), event_log: JSON.stringify(agentLog(td)) });
}

/** As the agent gives it: boot events of other registers too, payloads in hex. */
function agentLog({ log }: ExtensibleTd): object[] {
  const boot = { imr: 0, event_type: 0x8000000b, digest: 'ab'.repeat(48), event: '', event_payload: '00ff' };
  return [
    boot,
    ...log.map(({ name, payload, digest }) => ({
      imr: 3,
      event_type: 0x08000001,
      digest,
      event: name,
      event_payload: toHex(new Uint8Array(Buffer.from(payload, 'base64'))),
    })),
  ];
}

const kernelError = (code: string): Error => Object.assign(new Error(code), { code });

export interface KernelOptions {
  readonly provider: 'tdx_guest' | 'sev_guest' | string;
  readonly report: (reportData: Uint8Array) => Promise<Uint8Array>;
  readonly auxblob?: Uint8Array;
  /** Of a TD whose kernel shows its registers. */
  readonly td?: ExtensibleTd;
  /** Called between the write of report data and the read of the report. */
  readonly between?: (kernel: TsmKernel, directory: string) => void;
}

interface ReportEntry {
  generation: number;
  inblob: Uint8Array | null;
}

export const REPORT_DIR = '/sys/kernel/config/tsm/report';
export const MEASUREMENTS_DIR = '/sys/devices/virtual/misc/tdx_guest/measurements';
const RTMR3 = `${MEASUREMENTS_DIR}/rtmr3:sha384`;

/** A kernel's configfs-tsm and measurement registers, and a file system for everything else. */
export class TsmKernel implements GuestFiles {
  readonly reports = new Map<string, ReportEntry>();
  readonly files = new Map<string, Uint8Array>();
  /** Register extensions that are dropped, as when the process is killed before one. */
  isRegisterDead = false;

  constructor(readonly options: KernelOptions) {}

  makeDirectory(path: string): Promise<void> {
    if (!path.startsWith(`${REPORT_DIR}/`)) return Promise.reject(kernelError('ENOENT'));
    if (this.reports.has(path)) return Promise.reject(kernelError('EEXIST'));
    this.reports.set(path, { generation: 0, inblob: null });
    return Promise.resolve();
  }

  removeDirectory(path: string): Promise<void> {
    return this.reports.delete(path) ? Promise.resolve() : Promise.reject(kernelError('ENOENT'));
  }

  async read(path: string): Promise<Uint8Array> {
    const { options } = this;
    if (path === RTMR3 && options.td !== undefined) return options.td.register();
    const at = path.lastIndexOf('/');
    const [directory, name] = [path.slice(0, at), path.slice(at + 1)];
    const entry = this.reports.get(directory);
    const file = this.files.get(path);
    if (entry === undefined && file === undefined) throw kernelError('ENOENT');
    if (entry === undefined) return file!;
    if (name === 'generation') return utf8(`${entry.generation}\n`);
    if (name === 'provider') return utf8(`${options.provider}\n`);
    if (name === 'auxblob' && options.auxblob !== undefined) return options.auxblob;
    if (name !== 'outblob') throw kernelError('ENOENT');
    if (entry.inblob === null) throw kernelError('EINVAL');
    options.between?.(this, directory);
    return options.report(entry.inblob);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const { td } = this.options;
    if (path === RTMR3 && td !== undefined) {
      if (bytes.length !== 48) throw kernelError('EINVAL');
      if (this.isRegisterDead) throw kernelError('EIO');
      await this.extend(td, bytes);
      return;
    }
    const directory = path.slice(0, path.lastIndexOf('/'));
    const entry = this.reports.get(directory);
    if (entry === undefined) this.files.set(path, Uint8Array.from(bytes));
    else if (!path.endsWith('/inblob') || bytes.length > 64) throw kernelError('EINVAL');
    else this.reports.set(directory, { generation: entry.generation + 1, inblob: Uint8Array.from(bytes) });
  }

  /** The register knows digests only; the name and payload come from the log that was written before. */
  private async extend(td: ExtensibleTd, digest: Uint8Array): Promise<void> {
    for (const text of this.files.values()) {
      const log = JSON.parse(fromUtf8(text)) as RuntimeEvent[];
      const event = log.find((candidate) => candidate.digest === toHex(digest));
      if (event !== undefined) return void td.log.push(event);
    }
    throw kernelError('EINVAL');
  }
}

export interface FakeTools {
  readonly nvattest: string;
  readonly nvidiaSmi: string;
  readonly server: Server;
}

/** NVIDIA's tools as executables: `nvattest` asks this process for evidence, `nvidia-smi` says what is in `status`. */
export async function writeNvidiaTools(
  directory: string,
  gpus: readonly Pick<GpuSource, 'evidence'>[],
  status: { readonly cc: string; readonly devtools: string } = { cc: 'ON', devtools: 'OFF' },
  switches: readonly Pick<GpuSource, 'evidence'>[] = [],
): Promise<FakeTools> {
  const socket = join(directory, 'nvattest.sock');
  const server = createServer((client) => {
    client.once('data', (asked) => {
      const [device, nonce = ''] = asked.toString('utf8').split(' ');
      collected(device === 'gpu' ? gpus : switches, nonce)
        .then((text) => client.end(text))
        .catch(() => client.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const nvattest = executable(
    join(directory, 'nvattest'),
    [
      `const args = process.argv.slice(2);`,
      `const fixed = ['--format', 'json', 'collect-evidence', '--device', args[4], '--nonce'];`,
      `if (fixed.some((arg, i) => args[i] !== arg) || args.length !== 7) process.exit(2);`,
      `if (args[4] !== 'gpu' && args[4] !== 'nvswitch') process.exit(2);`,
      `const client = require('node:net').connect(${JSON.stringify(socket)}, () => client.write(args[4] + ' ' + args[6]));`,
      `client.pipe(process.stdout);`,
    ].join('\n'),
  );
  const nvidiaSmi = executable(
    join(directory, 'nvidia-smi'),
    [
      `const answers = { '-f': 'CC status: ${status.cc}', '-d': 'DevTools Mode: ${status.devtools}' };`,
      `if (process.argv[2] !== 'conf-compute') process.exit(2);`,
      `process.stdout.write(answers[process.argv[3]] + '\\n');`,
    ].join('\n'),
  );
  return { nvattest, nvidiaSmi, server };
}

/** An executable file in CommonJS. */
export function executable(path: string, code: string): string {
  writeFileSync(path, `#!${process.execPath}\n${code}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function collected(gpus: readonly Pick<GpuSource, 'evidence'>[], nonce: string): Promise<string> {
  const evidences = await Promise.all(
    gpus.map(async (gpu) => {
      const bytes = await gpu.evidence(fromHex(nonce));
      const at = Buffer.from(bytes).indexOf('-----BEGIN');
      return {
        version: '1.0',
        arch: 'HOPPER',
        nonce,
        evidence: toBase64(bytes.subarray(0, at)),
        certificate: toBase64(bytes.subarray(at)),
      };
    }),
  );
  return JSON.stringify({ evidences, result_code: 0, result_message: 'Ok' });
}
