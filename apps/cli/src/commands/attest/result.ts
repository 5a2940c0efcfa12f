import { readFileSync, writeFileSync } from 'node:fs';
import { recordAppraisal, verifierKey, verifyAppraisalRecord, type DeskAnswer } from '@usufruct/attestation';
import { signingPublicKey } from '@usufruct/crypto';
import { fromHex, refuse } from '@usufruct/kernel';
import type { AddCommand } from '../../program.js';
import { quoted, timeOf } from '../../words.js';
import { readBounded } from './read-bounded.js';

/**
 * Sign what `attest verify` found, good or bad, where that is asked for; null where it is not. Refuses `INVALID_ARGUMENT`
 * for one of the two options without the other.
 */
export async function writeRecord(
  { sign, record }: { readonly sign?: string; readonly record?: string },
  answer: Pick<DeskAnswer, 'result' | 'endorsements'>,
  nowMs: number,
): Promise<{ readonly verifier: string; readonly record: string } | null> {
  if (sign === undefined && record === undefined) return null;
  if (sign === undefined || record === undefined) {
    throw refuse('INVALID_ARGUMENT', {
      field: sign === undefined ? '--sign' : '--record',
      expected: 'both, or neither',
    });
  }
  const secretKey = Uint8Array.from(fromHex(readBounded(sign, '--sign').trim(), '--sign'));
  if (secretKey.length !== 32) throw refuse('INVALID_ARGUMENT', { field: '--sign', expected: '32 bytes in hex' });
  const kept = await recordAppraisal(answer, nowMs, { secretKey, publicKey: signingPublicKey(secretKey) });
  writeFileSync(record, `${JSON.stringify(kept)}\n`);
  return { verifier: kept.signed.verifier, record };
}

export const addResult: AddCommand = (attest, open) => {
  attest
    .command('result')
    .description("a verifier's signed result from a file: good only of a verifier that you name, and before it expires")
    .argument('<file>', 'written by attest verify --sign')
    .requiredOption('--verifier <key...>', 'whose word counts: public keys in base64, or files that hold one each')
    .action(async (file: string, { verifier }: { verifier: readonly string[] }, command) => {
      const runtime = open(command);
      const verifiers = verifier.map((given) => verifierKey(textOf(given), '--verifier'));
      const eat = await verifyAppraisalRecord(readBounded(file, 'appraisal record'), verifiers, runtime.clock.nowMs());
      const { profile, standIn, jobId, endorsements } = eat.usufruct;
      runtime.terminal.result({ eat }, [
        `A result of the profile ${quoted(String(profile))}, GOOD until ${timeOf(eat.exp * 1000)}, for the job ${quoted(String(jobId))}`,
        ...(standIn === false ? [] : ['DEV ONLY: of a stand-in. It proves nothing about hardware.']),
        ...Object.entries(endorsements ?? {}).map(([name, digest]) => `  ${quoted(String(digest))} ${quoted(name)}`),
        'It says that this verifier said so, and nothing more.',
      ]);
    });
};

function textOf(given: string): string {
  try {
    return readFileSync(given, 'utf8');
  } catch {
    return given;
  }
}
