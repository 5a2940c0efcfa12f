import { checkThat, failed, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { checkEventLog } from '../event-log.js';
import { pinnedRoots } from '../roots.js';
import type { AppraisalContext, DecodedBundle, EvidenceInspector, Inspection } from '../types.js';
import { hasEcdsaSignature } from '../x509/certificate.js';
import {
  checkChain,
  checkRoot,
  P384_CHAIN,
  parseChain,
  skippedChain,
  validUntilMs,
  type CertificateChain,
} from '../x509/chain.js';
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
    checkRoot([chain], pinnedRoots(roots, 'software-dev')),
    await checkChain(chain, P384_CHAIN, nowMs),
    await checkSignature(quote, chain),
    await checkEventLog(bundle.eventLog, quote.body.register),
    skipped('GPU', 'this profile carries no GPU evidence'),
  ];
  const { debug, measurement, reportData } = quote.body;
  const code = { measurement: toHex(measurement), debug };
  const cpu = { tee: 'software-dev', ...code, tcbStatuses: [], advisories: [] } as const;
  const facts = { ...code, reportData, validUntilMs: validUntilMs(chain), cpu, gpu: null };
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
  const [leaf] = chain;
  const holds = leaf !== undefined && (await hasEcdsaSignature(leaf, 'SHA-384', signature, signedBytes));
  return checkThat('SIGNATURE', holds, 'the quote is not signed by the key of its leaf certificate');
}
