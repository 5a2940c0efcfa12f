import { expect, it } from '@jest/globals';
import { fromHex, utf8 } from '@usufruct/kernel';
import { describeRecorded, readEvidence, readEvidenceText } from '../../../../test/support/evidence.js';
import { productionRoots } from '../roots.js';
import type { EndorsementBytes, EndorsementItem } from './item.js';
import { judgeEndorsement } from './judge.js';

const judge = (item: EndorsementItem, bytes: Uint8Array, issuers: string | null = null) =>
  judgeEndorsement(
    item,
    { bytes, issuers: issuers === null ? null : utf8(issuers) } satisfies EndorsementBytes,
    productionRoots(),
  );
const dates = (from: string, until: string) => ({ fromMs: Date.parse(from), untilMs: Date.parse(until) });

describeRecorded("recorded collateral of Intel's", 'tdx', () => {
  const recorded = () => JSON.parse(readEvidenceText('tdx/tdx_quote_collateral.json')) as Record<string, string>;

  it('TCB info and QE identity are judged good, with the dates and numbers that are in them', async () => {
    const { tcb_info, tcb_info_signature, tcb_info_issuer_chain, qe_identity, ...rest } = recorded();
    const info = JSON.parse(tcb_info!);
    const item = { kind: 'intel-tcb-info', fmspc: info.fmspc.toLowerCase() } as const;
    const body = utf8(`{"tcbInfo":${tcb_info},"signature":"${tcb_info_signature}"}`);
    expect(await judge(item, body, tcb_info_issuer_chain)).toEqual({
      ...dates(info.issueDate, info.nextUpdate),
      number: BigInt(info.tcbEvaluationDataNumber),
      issuedAtMs: Date.parse(info.issueDate),
      isSigned: true,
    });
    const identity = JSON.parse(qe_identity!);
    const document = utf8(`{"enclaveIdentity":${qe_identity},"signature":"${rest['qe_identity_signature']}"}`);
    expect(await judge({ kind: 'intel-qe-identity' }, document, rest['qe_identity_issuer_chain'])).toMatchObject(
      dates(identity.issueDate, identity.nextUpdate),
    );
  });

  it("Intel's lists are judged good under their own issuers, and under no others", async () => {
    const { pck_crl, pck_crl_issuer_chain, root_ca_crl } = recorded();
    const root = pck_crl_issuer_chain!.slice(pck_crl_issuer_chain!.lastIndexOf('-----BEGIN'));
    const platform = { kind: 'intel-pck-crl', ca: 'platform' } as const;
    // `openssl crl -text`: both lists have CRL Number 1.
    expect(await judge(platform, fromHex(pck_crl!), pck_crl_issuer_chain)).toMatchObject({ number: 1n });
    expect(await judge({ kind: 'intel-root-crl' }, fromHex(root_ca_crl!), root)).toMatchObject({ number: 1n });
    expect(await judge({ kind: 'intel-root-crl' }, fromHex(pck_crl!), root)).toHaveProperty('flaw');
    expect(await judge({ ...platform, ca: 'processor' }, fromHex(pck_crl!), pck_crl_issuer_chain)).toHaveProperty(
      'flaw',
    );
  });
});

describeRecorded("a recorded chain and key of AMD's", 'snp', () => {
  it("the chain of Milan is judged good, as Milan's only", async () => {
    const pem = readEvidence('snp/ask_ark_milan.pem');
    const item = { kind: 'amd-chain', key: 'VCEK', product: 'Milan' } as const;
    expect(await judge(item, pem)).toMatchObject({ number: 0n });
    expect(await judge({ ...item, product: 'Genoa' }, pem)).toHaveProperty('flaw');
    expect(await judge({ ...item, key: 'VLEK' }, pem)).toHaveProperty('flaw');
  });
});

describeRecorded("recorded manifests of NVIDIA's", 'nvidia', () => {
  const driver = (version: string) => ({ kind: 'nvidia-rim', id: `NV_GPU_DRIVER_GH100_${version}` }) as const;

  it('are judged good as what they are for', async () => {
    const good = readEvidence('nvidia/NV_GPU_DRIVER_GH100_550.144.03.xml');
    expect(await judge(driver('550.144.03'), good)).toMatchObject({ number: 0n });
    expect(await judge(driver('550.144.04'), good)).toHaveProperty('flaw');
  });

  it.each(['incorrect_signature_driver_rim.xml', 'incorrect_cert_chain_driver_rim.xml'])(
    '%s is refused',
    async (file) => {
      const bytes = readEvidence(`nvidia/${file}`);
      const [, version = ''] = /colloquialVersion="([^"]+)"/.exec(Buffer.from(bytes).toString()) ?? [];
      expect(await judge(driver(version), bytes)).toHaveProperty('flaw');
    },
  );
});
