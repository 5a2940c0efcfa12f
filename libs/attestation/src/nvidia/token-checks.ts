import { sha256 } from '@usufruct/crypto';
import { checkThat, failed, passed, skipped, toHex, utf8, type Check } from '@usufruct/kernel';
import { isJwsSignedBy, parseKeySet, type Jws, type JwsKey } from '../jose/jws.js';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { Endorsements } from '../types.js';
import type { Certificate } from '../x509/certificate.js';
import type { Device } from './checks.js';
import { isSwitch } from './device.js';
import { NVIDIA_ENDORSEMENTS } from './endorsements.js';
import { parseNrasToken, type NrasToken } from './token.js';

/** Who signs tokens (RFC 7519 §4.1.1); its keys are fetched by the verifier and live about two days. */
const ISSUER = 'https://nras.attestation.nvidia.com';
/** Clocks of service and verifier may differ a little. */
const CLOCK_SKEW_MS = 60_000;

export interface TokenContext {
  readonly token?: unknown;
  readonly nonce: Uint8Array;
  readonly nowMs: number;
  readonly policy: NvidiaPolicy | undefined;
  readonly endorsements: Endorsements;
  /** True for a verifier that can have no keys of the service: it says so, and judges everything else. */
  readonly isTokenLeftToOthers?: boolean | undefined;
}

const TOKEN_CHECKS = [
  'EAT_PARSE',
  'EAT_ALGORITHM',
  'EAT_KEY',
  'EAT_SIGNATURE',
  'EAT_ISSUER',
  'EAT_EXPIRED',
  'EAT_NONCE',
  'EAT_SUBMODULE',
  'EAT_RESULT',
  'EAT_DEVICES',
] as const;

export interface TokenInspection {
  readonly checks: readonly Check[];
  /** When the first token expires; infinite where none was judged. */
  readonly untilMs: number;
}

/** ATTESTATION.md, NVIDIA GPU: the vendor's own verdict is judged as the policy wants it, and replaces nothing. */
export async function checkToken(devices: readonly Device[], context: TokenContext): Promise<TokenInspection> {
  const { token, policy } = context;
  if (policy?.token === undefined) return unjudged([skipped('GPU_TOKEN', 'the policy asks for no second opinion')]);
  if (context.isTokenLeftToOthers === true && token !== undefined) {
    const reason = 'nobody signs the keys of the service, so this is for the key holders to judge';
    return unjudged([skipped('GPU_TOKEN', reason)]);
  }
  if (token === undefined) {
    const reason = 'the bundle has no token';
    return unjudged([policy.token === 'required' ? failed('GPU_TOKEN', reason) : skipped('GPU_TOKEN', reason)]);
  }
  const parsed = parseNrasToken(token);
  if (parsed === null) {
    const rest = TOKEN_CHECKS.slice(1).map((name) => skipped(name, 'the token could not be read'));
    return unjudged([passed('GPU_TOKEN'), failed('EAT_PARSE', "not a detached EAT bundle of NVIDIA's"), ...rest]);
  }
  return {
    checks: [passed('GPU_TOKEN'), passed('EAT_PARSE'), ...(await judge(parsed, devices, context))],
    untilMs: Math.min(...saidOf(parsed).map(({ exp }) => exp * 1000)),
  };
}

const unjudged = (checks: readonly Check[]): TokenInspection => ({ checks, untilMs: Number.POSITIVE_INFINITY });

async function judge(token: NrasToken, devices: readonly Device[], context: TokenContext): Promise<Check[]> {
  const tokens = [token.overall, ...token.submodules.values()];
  const keys = parseKeySet(context.endorsements[NVIDIA_ENDORSEMENTS.nrasKeys] ?? new Uint8Array());
  const signers = tokens.map(({ keyId }) => keys?.get(keyId));
  return [
    checkAlgorithm(tokens),
    checkKeys(signers),
    await checkSignatures(tokens, signers),
    checkIssuer(token),
    checkTimes(token, context.nowMs),
    checkNonce(token, context.nonce),
    checkSubmodules(token),
    checkResult(token),
    checkDevices(token, devices),
  ];
}

const saidOf = ({ overall, submodules }: NrasToken) => [
  overall.said,
  ...[...submodules.values()].map(({ said }) => said),
];
const ES384 = 'ES384';

/** RFC 8725 §3.1: no token chooses its algorithm. */
const checkAlgorithm = (tokens: readonly Jws[]): Check =>
  checkThat(
    'EAT_ALGORITHM',
    tokens.every(({ algorithm }) => algorithm === ES384),
    'a token is not signed with ES384',
  );

/** RFC 7515 §4.1.4: every token's key is one of the service's, as the verifier knows them. */
const checkKeys = (signers: readonly (JwsKey | undefined)[]): Check =>
  checkThat('EAT_KEY', !signers.includes(undefined), "a token's key is not among those that the verifier has");

/** RFC 7515 §5.2, for the overall token and for each of the others. */
async function checkSignatures(tokens: readonly Jws[], signers: readonly (JwsKey | undefined)[]): Promise<Check> {
  if (tokens.some(({ algorithm }, i) => algorithm !== ES384 || signers[i] === undefined)) {
    return skipped('EAT_SIGNATURE', 'a token has no key or another algorithm');
  }
  const signed = await Promise.all(tokens.map((token, i) => isJwsSignedBy(token, signers[i]!)));
  return checkThat('EAT_SIGNATURE', signed.every(Boolean), 'a token is not signed by its key');
}

/** RFC 7519 §4.1.1. */
const checkIssuer = (token: NrasToken): Check =>
  checkThat(
    'EAT_ISSUER',
    saidOf(token).every(({ iss }) => iss === ISSUER),
    'a token is of another issuer',
  );

/** RFC 7519 §4.1.4 to §4.1.6: issued, valid already and not expired. */
const checkTimes = (token: NrasToken, nowMs: number): Check =>
  checkThat(
    'EAT_EXPIRED',
    saidOf(token).every(
      ({ iat, nbf, exp }) => nowMs < exp * 1000 && nowMs + CLOCK_SKEW_MS >= Math.max(iat, nbf) * 1000,
    ),
    'a token is not valid now',
  );

/** RFC 9711 §4.1: every token is about evidence that was made for this session. */
const checkNonce = (token: NrasToken, nonce: Uint8Array): Check =>
  checkThat(
    'EAT_NONCE',
    saidOf(token).every(({ eat_nonce: said }) => said.toLowerCase() === toHex(nonce)),
    'a token is about evidence for another nonce',
  );

/** RFC 9711 §4.2.18.2: the overall token has the SHA-256 of exactly the tokens that are there. */
function checkSubmodules({ overall, submodules }: NrasToken): Check {
  const digests = Object.entries(overall.said.submods);
  const holds = digests.every(([name, [, [, digest]]]) => {
    const text = submodules.get(name)?.text;
    return text !== undefined && toHex(sha256(utf8(text))) === digest.toLowerCase();
  });
  return checkThat(
    'EAT_SUBMODULE',
    holds && digests.length === submodules.size,
    'the overall token is about other tokens',
  );
}

/** NVIDIA's verdict about the whole and about each device: measurements as they must be, booted securely, no debugging. */
function checkResult({ overall, submodules }: NrasToken): Check {
  const isGood = [...submodules.values()].every(
    ({ said }) => said.measres === 'success' && said.secboot === true && said.dbgstat === 'disabled',
  );
  return checkThat('EAT_RESULT', overall.said['x-nvidia-overall-att-result'] && isGood, 'NVIDIA says no');
}

/** RFC 9711 §4.2.1: the tokens are about the devices shown here: each GPU, once, and nothing else. */
function checkDevices({ submodules }: NrasToken, devices: readonly Device[]): Check {
  const names = [...submodules.values()].map(({ said }) => said.ueid);
  const shown = devices.map(({ chain }) => ueidOf(chain[0]));
  const gpus = devices.filter(({ chain }) => !isSwitch(chain)).map(({ chain }) => ueidOf(chain[0]));
  const holds =
    new Set(names).size === names.length &&
    gpus.every((gpu) => names.includes(gpu)) &&
    names.every((name) => shown.includes(name));
  return checkThat('EAT_DEVICES', holds, 'the tokens are not about the devices shown here');
}

/** The serial number of the leaf, decimal. */
const ueidOf = (leaf: Certificate | undefined): string => BigInt(`0x${leaf?.serial || '0'}`).toString();
