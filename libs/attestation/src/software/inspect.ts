import { checkThat, equalBytes, failed, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import type { EvidenceBundle, RuntimeEvent } from '@usufruct/protocol';
import { replayEventLog } from '../event-log.js';
import { pinnedRoots } from '../roots.js';
import type { AppraisalContext, DecodedBundle, EvidenceInspector, Inspection } from '../types.js';
import { checkChain, checkRoot, parseChain, skippedChain, validUntilMs, type CertificateChain } from '../x509-chain.js';
import { parseSoftwareQuote, type SoftwareQuote } from './quote-format.js';

/**
 * The software TEE's evidence. It proves only that the holder of a development key made it: there is no hardware
 * behind it, and no production root set has a root for it.
 */
export const softwareInspector: EvidenceInspector = {
  profile: 'software-dev',
  standIn: true,
  requiredChecks: ['PARSE', 'ROOT_NOT_PINNED', 'CHAIN', 'SIGNATURE', 'RTMR'],
  inspect,
};

async function inspect(
  bundle: EvidenceBundle,
  decoded: DecodedBundle,
  { nowMs, roots }: AppraisalContext,
): Promise<Inspection> {
  const quote = hasForeignParts(bundle) ? null : parseSoftwareQuote(decoded.cpuEvidence);
  const chain = quote && parseChain(quote.chain);
  if (quote === null || chain === null) return unparsed();
  const checks = [
    passed('PARSE'),
    checkRoot(chain, pinnedRoots(roots, 'software-dev')),
    await checkChain(chain, nowMs),
    await checkSignature(quote, chain),
    await checkEventLog(bundle.eventLog, quote.body.register),
    skipped('GPU', 'this profile carries no GPU evidence'),
  ];
  const { debug, measurement, reportData } = quote.body;
  const facts = { measurement: toHex(measurement), reportData, debug, validUntilMs: validUntilMs(chain) };
  return { checks, facts };
}

/** Nothing here would judge them, so they must not be there to be believed. */
const hasForeignParts = ({ gpuEvidence, gpuToken, appCompose }: EvidenceBundle): boolean =>
  (gpuEvidence?.length ?? 0) > 0 || gpuToken !== undefined || appCompose !== undefined;

function unparsed(): Inspection {
  const reason = 'the quote could not be parsed';
  const rest = [...skippedChain(reason), skipped('SIGNATURE', reason), skipped('RTMR', reason)];
  return { checks: [failed('PARSE', 'not exactly one quote of the software TEE'), ...rest], facts: null };
}

async function checkSignature({ signature, signedBytes }: SoftwareQuote, chain: CertificateChain): Promise<Check> {
  const wrong = failed('SIGNATURE', 'the quote is not signed by the key of its leaf certificate');
  try {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384' };
    const key = await chain[0]!.parsed.publicKey.export(algorithm, ['verify']);
    const bytes = Uint8Array.from(signature);
    const valid = await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, bytes, signedBytes);
    return valid ? passed('SIGNATURE') : wrong;
  } catch {
    return wrong;
  }
}

async function checkEventLog(events: readonly RuntimeEvent[], register: Uint8Array): Promise<Check> {
  const replayed = await replay(events);
  if (replayed === null) return failed('RTMR', 'an event has a digest that is not its own');
  return checkThat('RTMR', equalBytes(replayed, register), 'the event log does not replay to the register');
}

async function replay(events: readonly RuntimeEvent[]): Promise<Uint8Array | null> {
  try {
    return await replayEventLog(events);
  } catch {
    return null;
  }
}
