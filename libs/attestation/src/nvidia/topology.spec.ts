import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createNvidiaPki,
  DEV_GPU,
  DEV_RIM_NAMES,
  devNvidiaEndorsements,
  devSwitchEndorsements,
  issueOcsp,
  issueOcspResponder,
  pemOf,
  SoftwareGpu,
  SoftwareSwitch,
  type DevAuthority,
  type NvidiaPki,
  type OcspRequest,
  type SwitchFields,
} from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { concatBytes, toHex } from '@usufruct/kernel';
import { zNvidiaPolicy, type NvidiaPolicy } from '../policy/nvidia-policy.js';
import { devHardwareRoots, pinnedRoots } from '../roots.js';
import type { Endorsements } from '../types.js';
import { OCSP_CHECKS } from '../x509/ocsp-checks.js';
import { NVIDIA_ENDORSEMENTS } from './endorsements.js';
import { GPU_CHECKS, inspectGpus, type GpuContext } from './inspect.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const NONCE = new Uint8Array(32).fill(5);
const NOWHERE = '00'.repeat(8);
const SWITCHES = { count: 4, models: ['LS10'], biosVersions: ['96.10.6D.00.01'] };
const POLICY: NvidiaPolicy = {
  version: 1,
  count: 8,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
  switches: SWITCHES,
};

let pki: NvidiaPki;
let gpus: SoftwareGpu[];
let switches: SoftwareSwitch[];
let evidence: Uint8Array[];
let manifests: Endorsements;
let context: GpuContext;

const inspect = (of: readonly Uint8Array[] = evidence, changes: Partial<GpuContext> = {}) =>
  inspectGpus(of, { ...context, ...changes });
const failedOf = async (...of: Parameters<typeof inspect>) =>
  (await inspect(...of)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
/** The links as the machine has them, and what the devices say then. */
async function connect(): Promise<Uint8Array[]> {
  for (const gpu of gpus) gpu.links = [...switches.map(({ pdi }) => pdi), NOWHERE, switches[0]!.pdi];
  for (const one of switches) one.links = gpus.map(({ pdi }) => pdi);
  return Promise.all([...gpus, ...switches].map((device) => device.evidence(NONCE)));
}
/** The evidence with one item in place of another; a GPU has its number, a switch 8 and more. */
const replaced = async (at: number, make: () => Promise<Uint8Array>): Promise<Uint8Array[]> =>
  evidence.with(at, await make());

beforeAll(async () => {
  pki = await createNvidiaPki(NOW_MS);
  gpus = await Promise.all(Array.from({ length: 8 }, () => SoftwareGpu.create(pki, NOW_MS)));
  switches = await Promise.all(Array.from({ length: 4 }, () => SoftwareSwitch.create(pki, NOW_MS)));
  evidence = await connect();
  manifests = { ...(await devNvidiaEndorsements(pki)), ...(await devSwitchEndorsements(pki)) };
  const roots = devHardwareRoots({ nvidiaDevice: pemOf(pki.deviceRoot), nvidiaRim: pemOf(pki.rim[3]) });
  context = {
    nowMs: NOW_MS,
    nonce: NONCE,
    policy: POLICY,
    endorsements: manifests,
    deviceRoots: pinnedRoots(roots, 'nvidiaDevice'),
    rimRoots: pinnedRoots(roots, 'nvidiaRim'),
  };
});

describe('a machine with eight GPUs and four NVSwitches', () => {
  it('passes every check, and each device is claimed', async () => {
    const { checks, facts } = await inspect();
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    for (const name of [...GPU_CHECKS, 'LINK_TOPOLOGY']) {
      expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(facts!.gpu.devices).toHaveLength(8);
    expect(facts!.gpu.switches).toEqual(Array(4).fill({ model: 'LS10', biosVersion: '96.10.6D.00.01' }));
    expect(new Set(facts!.deviceIds).size).toBe(12);
  });

  it('may have no NVSwitches, where the policy names none', async () => {
    const { switches: _none, ...policy } = POLICY;
    const unlinked = await Promise.all(Array.from({ length: 8 }, () => SoftwareGpu.create(pki, NOW_MS)));
    const alone = await Promise.all(unlinked.map((gpu) => gpu.evidence(NONCE)));
    const { checks } = await inspect(alone, { policy });
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'LINK_TOPOLOGY', status: 'skipped' }));
  });

  it('does not pass by leaving the NVSwitches out that its GPUs are linked to', async () => {
    const { switches: _none, ...policy } = POLICY;
    expect(await failedOf(evidence.slice(0, 8), { policy })).toEqual(['LINK_TOPOLOGY']);
  });

  type Row = [string, string[], () => Promise<Parameters<typeof inspect>>];
  const lie =
    (fields: () => Partial<SwitchFields>): Row[2] =>
    async () => [await replaced(8, () => switches[0]!.evidence(NONCE, fields()))];
  const policy =
    (changes: Partial<NvidiaPolicy>): Row[2] =>
    async () => [evidence, { policy: { ...POLICY, ...changes } }];
  const stranger = async (): Promise<SoftwareGpu> => {
    const gpu = await SoftwareGpu.create(pki, NOW_MS);
    gpu.links = gpus[0]!.links;
    return gpu;
  };
  const rows: Row[] = [
    ['an NVSwitch missing', ['SWITCH_TOPOLOGY', 'LINK_TOPOLOGY'], async () => [evidence.slice(0, 11)]],
    [
      'one NVSwitch shown twice',
      ['SWITCH_TOPOLOGY', 'LINK_TOPOLOGY'],
      async () => [[...evidence.slice(0, 11), evidence[8]!]],
    ],
    ['a GPU missing', ['GPU_TOPOLOGY', 'LINK_TOPOLOGY'], async () => [evidence.slice(1)]],
    ['one GPU shown twice', ['GPU_TOPOLOGY', 'LINK_TOPOLOGY'], async () => [evidence.with(1, evidence[0]!)]],
    [
      "another machine's GPU among them",
      ['LINK_TOPOLOGY'],
      async () => [await replaced(0, async () => (await stranger()).evidence(NONCE))],
    ],
    [
      "another machine's NVSwitch among them",
      ['LINK_TOPOLOGY'],
      async () => {
        const one = await SoftwareSwitch.create(pki, NOW_MS);
        return [await replaced(8, () => one.evidence(NONCE, { links: switches[0]!.links }))];
      },
    ],
    [
      'a GPU linked to an NVSwitch that is not shown',
      ['LINK_TOPOLOGY'],
      async () => {
        const gpu = await SoftwareGpu.create(pki, NOW_MS, { links: [...gpus[0]!.links, 'aa'.repeat(8)] });
        const all = gpus.with(0, gpu).map(({ pdi }) => pdi);
        const items = await Promise.all([
          gpu.evidence(NONCE),
          ...gpus.slice(1).map((one) => one.evidence(NONCE)),
          ...switches.map((one) => one.evidence(NONCE, { links: all })),
        ]);
        return [items];
      },
    ],
    [
      'an NVSwitch linked to a GPU that is not shown',
      ['LINK_TOPOLOGY'],
      lie(() => ({ links: ['aa'.repeat(8), ...switches[0]!.links.slice(1)] })),
    ],
    ['an NVSwitch that lost a GPU', ['LINK_TOPOLOGY'], lie(() => ({ links: switches[0]!.links.slice(1) }))],
    ['an NVSwitch by the name of another', ['SWITCH_PDI'], lie(() => ({ pdi: switches[1]!.pdi }))],
    [
      'an NVSwitch of other firmware than certified',
      ['GPU_FWID'],
      lie(() => ({ firmwareId: new Uint8Array(48).fill(9) })),
    ],
    [
      'an NVSwitch that was asked with another nonce',
      ['GPU_NONCE'],
      async () => [await replaced(8, () => switches[0]!.evidence(new Uint8Array(32)))],
    ],
    [
      'an NVSwitch whose measurements differ',
      ['RIM_MISMATCH'],
      lie(() => ({ measurements: new Map([[1, new Uint8Array(48).fill(9)]]) })),
    ],
    [
      'a BIOS whose manifest is for another version',
      ['RIM_VERSION'],
      async () => {
        const other = await devSwitchEndorsements(pki, { version: '96.10.55.00.01' });
        return [evidence, { endorsements: { ...manifests, ...other } }];
      },
    ],
    [
      'a BIOS without a manifest',
      ['RIM_PARSE'],
      async () => {
        const { [DEV_RIM_NAMES.switch]: _gone, ...rest } = manifests;
        return [evidence, { endorsements: rest }];
      },
    ],
    ['a BIOS that nobody approved', ['SWITCH_VERSIONS'], policy({ switches: { ...SWITCHES, biosVersions: [] } })],
    [
      'a model of NVSwitch that nobody approved',
      ['SWITCH_VERSIONS'],
      policy({ switches: { ...SWITCHES, models: [] } }),
    ],
    [
      'NVSwitches that the policy does not name',
      ['SWITCH_TOPOLOGY', 'SWITCH_VERSIONS'],
      policy({ switches: undefined }),
    ],
    ['NVSwitches alone', ['GPU_PARSE'], async () => [evidence.slice(8)]],
    ['junk behind an NVSwitch', ['GPU_PARSE'], async () => [evidence.with(8, concatBytes(evidence[8]!, NONCE))]],
    ['a BIOS version that is none', ['GPU_PARSE'], lie(() => ({ biosVersion: '96.10.6D' }))],
  ];
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect((await failedOf(...(await make()))).toSorted()).toEqual([...expected].toSorted());
  });
});

describe("NVIDIA's answers about certificates", () => {
  const fingerprint = ({ der }: DevAuthority): string => toHex(sha256(der));
  const answer = async (
    certificate: DevAuthority,
    issuer: DevAuthority,
    changes: Partial<OcspRequest> = {},
  ): Promise<Endorsements> => {
    const responder = await issueOcspResponder(issuer, NOW_MS);
    const der = await issueOcsp({ certificate, issuer, responder, nowMs: NOW_MS, ...changes });
    return { [NVIDIA_ENDORSEMENTS.ocsp(fingerprint(certificate))]: der };
  };
  const POLICY_1: NvidiaPolicy = { ...POLICY, count: 1, switches: undefined, revocation: 'required' };
  let answers: Endorsements;
  const judge = (endorsements: Endorsements, policy = POLICY_1, nowMs = NOW_MS) =>
    inspect(evidence.slice(0, 1), { policy, nowMs, endorsements: { ...manifests, ...endorsements } });
  const failedWith = async (...of: Parameters<typeof judge>) =>
    (await judge(...of)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

  beforeAll(async () => {
    const [signer, issuer, ca, root] = pki.rim;
    answers = Object.assign(
      {},
      ...(await Promise.all([
        answer(gpus[0]!.identity.bootRom, pki.provisioner),
        answer(pki.provisioner, pki.identityCa),
        answer(pki.identityCa, pki.deviceRoot),
        answer(signer, issuer),
        answer(issuer, ca),
        answer(ca, root),
      ])),
    ) as Endorsements;
  });

  it('pass where all of them are good, and shorten the result', async () => {
    const { checks, facts } = await judge(answers);
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    for (const name of OCSP_CHECKS) expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    expect(facts!.validUntilMs).toBe(NOW_MS + 86_400_000);
  });

  it('shorten it further where the certificate of who answered ends earlier', async () => {
    const responder = await issueOcspResponder(pki.provisioner, NOW_MS, { untilDays: 0.5 });
    const { facts } = await judge({
      ...answers,
      ...(await answer(gpus[0]!.identity.bootRom, pki.provisioner, { responder })),
    });
    expect(facts!.validUntilMs).toBe(NOW_MS + 43_200_000);
  });

  it('are not looked for where there are none and the policy does not require them', async () => {
    const policy: NvidiaPolicy = { ...POLICY_1, revocation: 'if-known' };
    const { checks } = await judge({}, policy);
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'OCSP_STATUS', status: 'skipped' }));
    // What is known is judged all the same.
    expect(await failedWith(await answer(pki.identityCa, pki.deviceRoot, { status: 'revoked' }), policy)).toEqual([
      'OCSP_STATUS',
    ]);
  });

  it('are judged by what the policy says about them; one that does not say is none', async () => {
    const { revocation: _unsaid, ...silent } = POLICY_1;
    expect(zNvidiaPolicy.safeParse(silent).success).toBe(false);
    for (const policy of [silent, { ...silent, revocation: undefined }, { ...silent, revocation: 'never' }]) {
      expect(await failedWith({}, policy as NvidiaPolicy)).toEqual(['GPU_POLICY']);
    }
  });

  it.each<[string, string[], () => Promise<Endorsements>]>([
    ['one missing', ['OCSP_PARSE'], async () => without(fingerprint(pki.identityCa))],
    [
      'boot ROM revoked',
      ['OCSP_STATUS'],
      () => answer(gpus[0]!.identity.bootRom, pki.provisioner, { status: 'revoked' }),
    ],
    ['signer of the manifests revoked', ['OCSP_STATUS'], () => answer(pki.rim[0], pki.rim[1], { status: 'revoked' })],
    ['an intermediate unknown', ['OCSP_STATUS'], () => answer(pki.provisioner, pki.identityCa, { status: 'unknown' })],
    ['stale', ['OCSP_STALE'], () => answer(pki.provisioner, pki.identityCa, { fromDays: -3, untilDays: -1 })],
    ['signed by another', ['OCSP_SIGNATURE'], () => answer(pki.provisioner, pki.identityCa, { signer: pki.rim[0] })],
    [
      'from a responder of another issuer',
      ['OCSP_RESPONDER'],
      async () => answer(pki.provisioner, pki.identityCa, { responder: await issueOcspResponder(pki.rim[3], NOW_MS) }),
    ],
    [
      'about another certificate',
      ['OCSP_CERT_ID'],
      async () => {
        const [der] = Object.values(await answer(pki.identityCa, pki.identityCa));
        return { [NVIDIA_ENDORSEMENTS.ocsp(fingerprint(pki.provisioner))]: der! };
      },
    ],
    ['garbage', ['OCSP_PARSE'], async () => ({ [NVIDIA_ENDORSEMENTS.ocsp(fingerprint(pki.provisioner))]: NONCE })],
  ])('%s → %j', async (_name, expected, make) => {
    const changed = await make();
    const isWhole = Object.keys(changed).length > 1;
    expect(await failedWith(isWhole ? changed : { ...answers, ...changed })).toEqual(expected);
  });
  function without(gone: string): Endorsements {
    return Object.fromEntries(Object.entries(answers).filter(([name]) => name !== NVIDIA_ENDORSEMENTS.ocsp(gone)));
  }
});
