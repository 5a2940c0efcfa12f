import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  devHardwareRoots,
  encodeOcspRequest,
  SNP_ENDORSEMENTS,
  TDX_ENDORSEMENTS,
  type Endorsements,
  type RootSet,
} from '@usufruct/attestation';
import {
  createNvidiaPki,
  createSnpPki,
  createTdxPki,
  DEV_PLATFORM,
  DEV_RIM_NAMES,
  DEV_SNP_PLATFORM,
  devNvidiaEndorsements,
  devSnpEndorsements,
  devTdxEndorsements,
  pemOf,
  issueOcsp,
  type DevAuthority,
  type GpuIdentity,
  type NvidiaPki,
  type OcspRequest,
  type SnpPki,
  type TdxPki,
} from '@usufruct/attestation-dev';
import { fromUtf8, toBase64, toHex } from '@usufruct/kernel';

export interface VendorPage {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}
export type VendorHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the vendors' services are under the base addresses of `urls`; every page can be replaced. */
export class VendorServer {
  readonly pages = new Map<string, VendorPage | VendorHandler>();
  readonly asked: { readonly url: string; readonly ifNoneMatch: string | undefined }[] = [];
  /** Nobody answers while this is set. */
  down = false;
  private origin = '';
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  static async start(): Promise<VendorServer> {
    const started = new VendorServer();
    await new Promise<void>((done) => started.server.listen(0, '127.0.0.1', done));
    started.origin = `http://127.0.0.1:${(started.server.address() as AddressInfo).port}`;
    return started;
  }
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  get urls() {
    return {
      intel: `${this.origin}/intel`,
      amd: `${this.origin}/amd`,
      nvidiaRim: `${this.origin}/rim`,
      nvidiaOcsp: `${this.origin}/ocsp`,
      nvidiaKeys: `${this.origin}/keys`,
    };
  }
  times(url: string): number {
    return this.asked.filter((asked) => asked.url === url).length;
  }

  /** OCSP responses by the hex of the requests that they answer. */
  readonly ocsp = new Map<string, Uint8Array>();

  private answerOcsp(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const answer = this.ocsp.get(Buffer.concat(parts).toString('hex'));
      const isAsked = request.headers['content-type'] === 'application/ocsp-request' && answer !== undefined;
      if (isAsked) response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(answer);
      else response.writeHead(400).end();
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    this.asked.push({ url, ifNoneMatch: request.headers['if-none-match'] });
    if (this.down) return void request.socket.destroy();
    const page = this.pages.get(url);
    if (url === '/ocsp') return this.answerOcsp(request, response);
    if (typeof page === 'function') return page(request, response);
    if (page === undefined) return void response.writeHead(404).end('no such thing');
    const etag = page.headers?.['etag'];
    const isKnown = etag !== undefined && request.headers['if-none-match'] === etag;
    response.writeHead(isKnown ? 304 : (page.status ?? 200), page.headers);
    response.end(isKnown ? undefined : page.body);
  }
}

/** Which keys anybody may ask about; the responder is the issuer itself. */
type Pair = readonly [certificate: DevAuthority, issuer: DevAuthority];

const TCB_URL = `/intel/tdx/certification/v4/tcb?fmspc=${DEV_PLATFORM.fmspc.toUpperCase()}`;
const VCEK_LEVELS = `blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=${DEV_SNP_PLATFORM.microcode}`;
/** Where the services serve what. */
export const PAGES = {
  tcbInfo: TCB_URL,
  qeIdentity: '/intel/tdx/certification/v4/qe/identity',
  pckCrl: '/intel/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
  rootCrl: '/intel/sgx/certification/v4/rootcacrl',
  amdChain: '/amd/vcek/v1/Milan/cert_chain',
  amdCrl: '/amd/vcek/v1/Milan/crl',
  vcek: `/amd/vcek/v1/Milan/${toHex(DEV_SNP_PLATFORM.chipId)}?${VCEK_LEVELS}`,
  driverRim: `/rim/${DEV_RIM_NAMES.driver.slice('nvidia/rim/'.length, -'.xml'.length)}`,
  vbiosRim: `/rim/${DEV_RIM_NAMES.vbios.slice('nvidia/rim/'.length, -'.xml'.length)}`,
} as const;

/** DEV ONLY: generated PKIs of all vendors, what they endorse, and a folder of its own for each test. */
export class VendorWorld {
  private readonly folders: string[] = [];
  private constructor(
    readonly tdx: TdxPki,
    readonly snp: SnpPki,
    readonly nvidia: NvidiaPki,
    readonly roots: RootSet,
    readonly nowMs: number,
  ) {}

  static async make(nowMs: number): Promise<VendorWorld> {
    const [tdx, snp, nvidia] = await Promise.all([
      createTdxPki(nowMs),
      createSnpPki({ nowMs }),
      createNvidiaPki(nowMs),
    ]);
    const roots = devHardwareRoots({
      intel: pemOf(tdx.root),
      amd: pemOf(snp.ark),
      nvidiaDevice: pemOf(nvidia.deviceRoot),
      nvidiaRim: pemOf(nvidia.rim.at(-1)!),
    });
    return new VendorWorld(tdx, snp, nvidia, roots, nowMs);
  }

  /** Fill a server with good answers in the services' own forms. */
  async publish(server: VendorServer, nowMs = this.nowMs): Promise<void> {
    const tdx = await devTdxEndorsements({ pki: this.tdx, nowMs });
    const snp = await devSnpEndorsements({ pki: this.snp, nowMs, revoked: [] });
    const nvidia = await devNvidiaEndorsements(this.nvidia);
    for (const [url, page] of this.intelPages(tdx)) server.pages.set(url, page);
    server.pages.set(PAGES.amdChain, { body: snp[SNP_ENDORSEMENTS.chain('VCEK', 'Milan')]! });
    server.pages.set(PAGES.amdCrl, { body: snp[SNP_ENDORSEMENTS.crl('Milan')]! });
    server.pages.set(PAGES.vcek, { body: this.snp.leaf.der });
    server.pages.set(PAGES.driverRim, rimPage(nvidia[DEV_RIM_NAMES.driver]!));
    server.pages.set(PAGES.vbiosRim, rimPage(nvidia[DEV_RIM_NAMES.vbios]!));
  }

  /** What the responder says about these certificates. */
  async answerAbout(server: VendorServer, pairs: readonly Pair[], changes: Partial<OcspRequest> = {}): Promise<void> {
    for (const [certificate, issuer] of pairs) {
      const asked = await encodeOcspRequest(certificate.der, issuer.der);
      server.ocsp.set(toHex(asked!), await issueOcsp({ certificate, issuer, nowMs: this.nowMs, ...changes }));
    }
  }
  /** About every certificate of a device and of the manifests, as they must be asked about. */
  ocspPairs(gpu: GpuIdentity): readonly Pair[] {
    const { deviceRoot, identityCa, provisioner, rim } = this.nvidia;
    const chains = [[gpu.bootRom, provisioner, identityCa, deviceRoot], rim];
    return chains.flatMap((chain) => chain.slice(0, -1).map((certificate, i) => [certificate, chain[i + 1]!] as const));
  }

  intelPages(tdx: Endorsements): readonly (readonly [string, VendorPage])[] {
    const header = (name: string) => encodeURIComponent(fromUtf8(tdx[name]!));
    const issuers = encodeURIComponent(pemOf(this.tdx.platformCa, this.tdx.root));
    return [
      [
        PAGES.tcbInfo,
        {
          body: tdx[TDX_ENDORSEMENTS.tcbInfo(DEV_PLATFORM.fmspc)]!,
          headers: { 'tcb-info-issuer-chain': header(TDX_ENDORSEMENTS.tcbInfoChain), etag: '"tcb-1"' },
        },
      ],
      [
        PAGES.qeIdentity,
        {
          body: tdx[TDX_ENDORSEMENTS.qeIdentity]!,
          headers: { 'sgx-enclave-identity-issuer-chain': header(TDX_ENDORSEMENTS.qeIdentityChain) },
        },
      ],
      [
        PAGES.pckCrl,
        { body: tdx[TDX_ENDORSEMENTS.pckCrl('platform')]!, headers: { 'sgx-pck-crl-issuer-chain': issuers } },
      ],
      [PAGES.rootCrl, { body: toHex(tdx[TDX_ENDORSEMENTS.rootCrl]!) }],
    ];
  }

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'usufruct-endorsements-'));
    this.folders.push(path);
    return path;
  }
  clean(): void {
    for (const path of this.folders) rmSync(path, { recursive: true, force: true });
  }
}

/** NVIDIA's RIM service, `GET /v1/rim/{id}`. */
export const rimPage = (xml: Uint8Array): VendorPage => ({
  body: JSON.stringify({ id: 'as asked', rim: toBase64(xml), last_updated: '2026-01-01T00:00:00Z' }),
  headers: { 'content-type': 'application/json' },
});
