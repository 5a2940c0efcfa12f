import { evidenceFile, readEvidenceFile, readPolicyFile, readTeePolicyBook } from '@usufruct/attestation';
import { toBase64, toHex, type JobId } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import type { FuzzMakers } from './fuzz-loop.ts';
import { filled, isRead, json, NONCE, textOf } from './inputs.ts';
import { POLICIES } from './policies.ts';

/* Files that people hand to the command line and to processes. */

const OWN = toBase64(NONCE);
export const BUNDLE: EvidenceBundle = {
  v: 1,
  profile: 'tdx+nv',
  challenges: [OWN],
  jobId: `0x${toHex(NONCE)}` as JobId,
  hpkePublicKey: OWN,
  signingPublicKey: OWN,
  cpuEvidence: toBase64(filled(1, 600)),
  eventLog: [{ name: 'a', payload: '', digest: '00'.repeat(48) }],
  gpuEvidence: [toBase64(filled(2, 600))],
  gpuToken: [['JWT', 'a.b.c'], {}],
};

export const FILE_MAKERS: FuzzMakers = {
  'evidence-file': () =>
    Promise.resolve({
      seeds: [json(evidenceFile(BUNDLE, OWN)), json(BUNDLE)],
      accepts: (bytes) => isRead(readEvidenceFile(textOf(bytes))),
    }),
  'policy-file': () => {
    const policy = { version: 1, profiles: ['tdx+nv'], measurements: ['ab'.repeat(48)], resultTermMs: 600_000 };
    const file = { format: 'usufruct/appraisal-policy/v1', policy };
    return Promise.resolve({
      seeds: [json({ ...file, teePolicy: POLICIES }), json(file)],
      accepts: (bytes) => isRead(readPolicyFile(textOf(bytes))),
    });
  },
  'policy-book': () => {
    const daoId = `0x${toHex(filled(7))}`;
    const book = {
      v: 1,
      policies: [
        { daoId, teePolicy: POLICIES },
        { daoId, appraisalPolicyDigest: daoId, teePolicy: POLICIES },
      ],
    };
    return Promise.resolve({
      seeds: [json(book)],
      accepts: (bytes) => isRead(readTeePolicyBook(textOf(bytes), 'TEE_POLICY_FILE')),
    });
  },
};
