import { purposeLabel } from '@usufruct/consent';
import type { DaoPolicy } from '@usufruct/protocol';
import { durationWords, explainDataRules, type Words } from '@usufruct/sdk';

/** A policy for people, one fact a line. */
export function policyLines(policy: DaoPolicy, words: Words): string[] {
  const { contributorsBps, treasuryBps, runnerBps, protocolBps } = policy.split;
  const { profiles, measurements, resultTermMs } = policy.appraisal;
  return [
    `a question costs ${words.amount(policy.pricePerQuestionUnits)}`,
    `of ten thousand: ${contributorsBps} contributors, ${treasuryBps} treasury, ${runnerBps} runner, ${protocolBps} protocol`,
    `purposes: ${policy.purposes.map((code) => `${purposeLabel(code)} (${code})`).join(', ')}`,
    `computation: ${policy.kinds.join(', ')}; protection: ${policy.protections.join(', ')}`,
    `evidence: ${profiles.join(', ')}; an appraisal counts for ${durationWords(resultTermMs)}`,
    `a session lasts at most ${durationWords(policy.maxJobTermMs)}`,
    `${policy.verifierThreshold} members of the holder set ${policy.holderSetId} register a runner`,
    ...explainDataRules(policy),
    ...measurements.map((measurement) => `approved code: ${measurement}`),
  ];
}
