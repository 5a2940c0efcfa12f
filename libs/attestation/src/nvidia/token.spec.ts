import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createNvidiaPki,
  DEV_GPU,
  devNvidiaEndorsements,
  DevNras,
  pemOf,
  SoftwareGpu,
  type NrasRequest,
  type NvidiaPki,
} from '@usufruct/attestation-dev';
import { fromHex, utf8 } from '@usufruct/kernel';
import { describeRecorded, readEvidenceText } from '../../../../test/support/evidence.js';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import { devHardwareRoots, pinnedRoots } from '../roots.js';
import { NVIDIA_ENDORSEMENTS } from './endorsements.js';
import { inspectGpus, type GpuContext } from './inspect.js';
import { parseNrasToken } from './token.js';
import { checkToken } from './token-checks.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const NONCE = new Uint8Array(32).fill(5);
const POLICY: NvidiaPolicy = {
  version: 1,
  count: 2,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
  token: 'required',
};

describe("NVIDIA's own verdict as a second opinion", () => {
  let pki: NvidiaPki;
  let nras: DevNras;
  let otherNras: DevNras;
  let gpus: SoftwareGpu[];
  let evidence: Uint8Array[];
  let context: GpuContext;

  const inspect = (changes: Partial<GpuContext> = {}) => inspectGpus(evidence, { ...context, ...changes });
  const failedOf = async (changes: Partial<GpuContext> = {}) =>
    (await inspect(changes)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const devices = () => gpus.map(({ identity }, i) => ({ name: `GPU-${i}`, serial: identity.leaf.serial }));
  const ask = (changes: Partial<NrasRequest> = {}) =>
    nras.token({ nonce: NONCE, nowMs: NOW_MS, devices: devices(), ...changes });

  beforeAll(async () => {
    pki = await createNvidiaPki(NOW_MS);
    [nras, otherNras] = await Promise.all([DevNras.create(), DevNras.create()]);
    gpus = await Promise.all([SoftwareGpu.create(pki, NOW_MS), SoftwareGpu.create(pki, NOW_MS)]);
    evidence = await Promise.all(gpus.map((gpu) => gpu.evidence(NONCE)));
    const roots = devHardwareRoots({ nvidiaDevice: pemOf(pki.deviceRoot), nvidiaRim: pemOf(pki.rim[3]) });
    context = {
      nowMs: NOW_MS,
      nonce: NONCE,
      policy: POLICY,
      endorsements: { ...(await devNvidiaEndorsements(pki)), ...nras.endorsements },
      deviceRoots: pinnedRoots(roots, 'nvidiaDevice'),
      rimRoots: pinnedRoots(roots, 'nvidiaRim'),
      token: await ask(),
    };
  });

  it('passes every check', async () => {
    const { checks } = await inspect();
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    const judged = checks.filter(({ name }) => name.startsWith('EAT_'));
    expect(judged).toHaveLength(10);
    expect(judged.every(({ status }) => status === 'passed')).toBe(true);
  });

  it('is left to the key holders by who has no keys of the service, and is missed all the same where it is required', async () => {
    const [{ checks }, failedWithout] = await Promise.all([
      inspect({ isTokenLeftToOthers: true, endorsements: await devNvidiaEndorsements(pki) }),
      failedOf({ isTokenLeftToOthers: true, token: undefined }),
    ]);
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'GPU_TOKEN', status: 'skipped' }));
    expect(failedWithout).toEqual(['GPU_TOKEN']);
  });

  it('is looked at only where the policy says so, and is never enough', async () => {
    const { token: _none, ...silent } = POLICY;
    const { checks } = await inspect({ policy: silent, token: 'nonsense' });
    expect(checks).toContainEqual(expect.objectContaining({ name: 'GPU_TOKEN', status: 'skipped' }));
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    const shown: NvidiaPolicy = { ...POLICY, token: 'if-shown' };
    expect(await failedOf({ policy: shown, token: undefined })).toEqual([]);
    expect(await failedOf({ policy: shown, token: 'nonsense' })).toEqual(['EAT_PARSE']);
    expect(await failedOf({ token: undefined })).toEqual(['GPU_TOKEN']);
    // NVIDIA says yes, but the verifier has no manifests of its own.
    expect(await failedOf({ endorsements: nras.endorsements })).toEqual(['RIM_PARSE']);
  });

  type Row = [string, string[], () => Promise<Partial<GpuContext>>];
  const token =
    (changes: () => Partial<NrasRequest>): Row[2] =>
    async () => ({ token: await ask(changes()) });
  const rows: Row[] = [
    ['NRAS token: alg none', ['EAT_ALGORITHM'], token(() => ({ header: { alg: 'none' } }))],
    ['NRAS token: alg HS256', ['EAT_ALGORITHM'], token(() => ({ header: { alg: 'HS256' } }))],
    ['NRAS token: wrong issuer', ['EAT_ISSUER'], token(() => ({ overall: { iss: 'https://nras.example' } }))],
    ['NRAS token: wrong issuer of a submodule', ['EAT_ISSUER'], token(() => ({ device: { iss: 'x' } }))],
    ['NRAS token: expired', ['EAT_EXPIRED'], token(() => ({ nowMs: NOW_MS - 2 * 3_600_000 }))],
    ['NRAS token: not valid yet', ['EAT_EXPIRED'], token(() => ({ nowMs: NOW_MS + 3_600_000 }))],
    [
      'NRAS token: submodule expired',
      ['EAT_EXPIRED'],
      token(() => ({ device: { exp: DevNras.secondsFrom(NOW_MS, -1) } })),
    ],
    ['NRAS token: unknown kid', ['EAT_KEY'], token(() => ({ header: { kid: 'another' } }))],
    [
      'NRAS token: signed by another key of that id',
      ['EAT_SIGNATURE'],
      async () => ({ token: await otherNras.token({ nonce: NONCE, nowMs: NOW_MS, devices: devices() }) }),
    ],
    ['NRAS token: nonce of another session', ['EAT_NONCE'], token(() => ({ nonce: new Uint8Array(32) }))],
    ['NRAS token: submodule of another session', ['EAT_NONCE'], token(() => ({ device: { eat_nonce: '00' } }))],
    [
      'NRAS token: submodule swapped',
      ['EAT_SUBMODULE'],
      token(() => ({ swap: (tokens) => ({ 'GPU-0': tokens['GPU-1']!, 'GPU-1': tokens['GPU-0']! }) })),
    ],
    [
      'NRAS token: submodule left out',
      ['EAT_SUBMODULE', 'EAT_DEVICES'],
      token(() => ({ swap: (tokens) => ({ 'GPU-0': tokens['GPU-0']! }) })),
    ],
    [
      'NRAS token: submodule added',
      ['EAT_SUBMODULE', 'EAT_DEVICES'],
      token(() => ({ swap: (tokens) => ({ ...tokens, 'GPU-2': tokens['GPU-0']! }) })),
    ],
    [
      'NRAS token: submodule of an honest token for another question',
      ['EAT_SUBMODULE', 'EAT_NONCE'],
      async () => {
        const other = (await ask({ nonce: new Uint8Array(32) })) as [unknown, Record<string, string>];
        return { token: await ask({ swap: () => other[1] }) };
      },
    ],
    ['NRAS token: overall false', ['EAT_RESULT'], token(() => ({ overall: { 'x-nvidia-overall-att-result': false } }))],
    ['NRAS token: measurements differ', ['EAT_RESULT'], token(() => ({ device: { measres: 'fail' } }))],
    ['NRAS token: debugging', ['EAT_RESULT'], token(() => ({ device: { dbgstat: 'enabled' } }))],
    ['NRAS token: not booted securely', ['EAT_RESULT'], token(() => ({ device: { secboot: null } }))],
    [
      'NRAS token: about another GPU',
      ['EAT_DEVICES'],
      token(() => ({ devices: [devices()[0]!, { name: 'GPU-1', serial: '4a' }] })),
    ],
    [
      'NRAS token: about one GPU twice',
      ['EAT_DEVICES'],
      token(() => ({ devices: [devices()[0]!, { ...devices()[0]!, name: 'GPU-1' }] })),
    ],
    ['NRAS token: about one GPU of two', ['EAT_DEVICES'], token(() => ({ devices: devices().slice(1) }))],
    [
      'no keys',
      ['EAT_KEY'],
      async () => ({ endorsements: { ...context.endorsements, [NVIDIA_ENDORSEMENTS.nrasKeys]: utf8('{}') } }),
    ],
    [
      'keys with an id twice',
      ['EAT_KEY'],
      async () => {
        const set = JSON.parse(new TextDecoder().decode(nras.endorsements[NVIDIA_ENDORSEMENTS.nrasKeys])) as {
          keys: object[];
        };
        const twice = utf8(JSON.stringify({ keys: [...set.keys, ...set.keys] }));
        return { endorsements: { ...context.endorsements, [NVIDIA_ENDORSEMENTS.nrasKeys]: twice } };
      },
    ],
  ];
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect((await failedOf(await make())).toSorted()).toEqual([...expected].toSorted());
  });

  it.each<[string, (bundle: [[string, string], Record<string, string>]) => unknown]>([
    ['no list', ([overall]) => overall],
    ['another kind of token', ([[, text], rest]) => [['CWT', text], rest]],
    ['no submodules', ([overall]) => [overall]],
    ['a submodule twice', ([overall, rest]) => [overall, rest, rest]],
    ['a token of two parts', ([[, text], rest]) => [['JWT', text.split('.').slice(0, 2).join('.')], rest]],
    ['padding', ([[, text], rest]) => [['JWT', `${text}==`], rest]],
    ['a header that brings a key', () => bringsKey()],
    ['an absurd size', ([, rest]) => [['JWT', 'a'.repeat(100_000)], rest]],
    [
      'seventeen submodules',
      ([overall]) => [overall, Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, 'x']))],
    ],
    ['an absurd number of maps', ([overall]) => [overall, ...Array.from({ length: 17 }, () => ({}))]],
    ['an absurd depth', () => JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown],
  ])('%s cannot be read', async (_name, change) => {
    const bundle = (await ask()) as [[string, string], Record<string, string>];
    expect(await failedOf({ token: await change(bundle) })).toEqual(['EAT_PARSE']);
  });
  const bringsKey = () => ask({ header: { jwk: {} } });

  it('of an absurd number of parts is counted, and none of them read', () => {
    let read = 0;
    const watched = <T extends object>(parts: T): T =>
      new Proxy(parts, {
        get: (from, name): unknown => {
          if (name !== 'length') read += 1;
          return Reflect.get(from, name) as unknown;
        },
      });
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, 'x']));
    const long = [['JWT', 'a'], ...Array.from({ length: 1_000 }, () => ({}))];
    expect([parseNrasToken([['JWT', 'a'], watched(wide)]), parseNrasToken(watched(long))]).toEqual([null, null]);
    expect(read).toBe(0);
  });
});

describeRecorded('a recorded token of NVIDIA', 'nvidia', () => {
  const token = () => JSON.parse(readEvidenceText('nvidia/hopperClaimsv3_detached_eat.json')) as unknown;

  it('is read as NVIDIA decoded it', () => {
    const parsed = parseNrasToken(token())!;
    const decoded = JSON.parse(readEvidenceText('nvidia/hopperClaimsv3_decoded.json')) as Record<string, unknown>;
    expect([...parsed.submodules.keys()]).toEqual(Object.keys(decoded));
    expect(parsed.submodules.get('GPU-0')!.claims).toEqual(decoded['GPU-0']);
  });

  it('holds together, but nobody has its key any more and its GPU is a canned one', async () => {
    const { checks } = await checkToken([], {
      token: token(),
      policy: POLICY,
      endorsements: {},
      // The nonce that NVIDIA hands out for tests, at the second of `iat`.
      nonce: fromHex('931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb'),
      nowMs: 1_749_601_858_000,
    });
    const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    expect(failed).toEqual(['EAT_KEY', 'EAT_DEVICES']);
  });
});
