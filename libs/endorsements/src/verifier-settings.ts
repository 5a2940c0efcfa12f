import { AppraisalDesk, readTeePolicyBook, verifierRoots, type RootSet } from '@usufruct/attestation';
import { refuse, type Clock, type Logger } from '@usufruct/kernel';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { openEndorsements } from './open-endorsements.js';

const zFile = z.string().min(1).optional();

/** Settings of every process that appraises evidence. */
export const VERIFIER_SETTINGS = {
  /** What each DAO asks of the hardware (`TeePolicyBook`). */
  TEE_POLICY_FILE: zFile,
  /** Where endorsements are kept. Without it, evidence that needs one is refused. */
  ENDORSEMENTS_DIR: zFile,
  /** `yes`: the folder is only read, and no vendor is asked. */
  ENDORSEMENTS_OFFLINE: z.enum(['yes', 'no']).default('no'),
  /** PEM of the root of a software TEE: a stand-in. */
  TEE_DEV_ROOT_FILE: zFile,
  /** Generated roots in place of the vendors', JSON: a stand-in. */
  TEE_DEV_HARDWARE_ROOTS_FILE: zFile,
};
const zVerifier = z.object(VERIFIER_SETTINGS);

export interface VerifierConfig {
  readonly policyFile: string | undefined;
  readonly endorsementsDir: string | undefined;
  readonly isOffline: boolean;
  readonly devRootFile: string | undefined;
  readonly devHardwareRootsFile: string | undefined;
}

export const verifierConfigOf = (env: z.output<typeof zVerifier>): VerifierConfig => ({
  policyFile: env.TEE_POLICY_FILE,
  endorsementsDir: env.ENDORSEMENTS_DIR,
  isOffline: env.ENDORSEMENTS_OFFLINE === 'yes',
  devRootFile: env.TEE_DEV_ROOT_FILE,
  devHardwareRootsFile: env.TEE_DEV_HARDWARE_ROOTS_FILE,
});

/** In words, for `refuseStandIns` and for everybody who asks; empty in production. */
export const verifierStandIns = ({ devRootFile, devHardwareRootsFile }: VerifierConfig): string[] => [
  ...(devRootFile === undefined ? [] : ['software TEE (its evidence is accepted)']),
  ...(devHardwareRootsFile === undefined ? [] : ["generated roots in place of the hardware vendors'"]),
];

/**
 * The verifier that a process was configured to be. Files are read once, at the start. Refuses `CONFIG_INVALID` with the
 * setting's name.
 */
export function openVerifier(
  config: VerifierConfig,
  { clock, logger: log }: { readonly clock: Clock; readonly logger: Logger },
): { readonly roots: RootSet; readonly desk: AppraisalDesk } {
  const { policyFile, endorsementsDir: folder, isOffline } = config;
  const roots = verifierRoots({
    software: readOptional(config.devRootFile, 'TEE_DEV_ROOT_FILE'),
    hardware: readOptional(config.devHardwareRootsFile, 'TEE_DEV_HARDWARE_ROOTS_FILE'),
  });
  const book = readOptional(policyFile, 'TEE_POLICY_FILE');
  const desk = new AppraisalDesk({
    roots,
    policies: book === undefined ? undefined : readTeePolicyBook(book, 'TEE_POLICY_FILE'),
    endorsements: folder === undefined ? undefined : openEndorsements({ folder, roots, isOffline, clock, log }),
  });
  return { roots, desk };
}

function readOptional(file: string | undefined, setting: string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting, expected: 'a readable file' }, cause);
  }
}
