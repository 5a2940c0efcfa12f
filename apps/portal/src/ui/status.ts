import type { JobState } from '@usufruct/protocol';
import type { Tone } from './layout.js';

/** Words and tones for states, the same on every page. */
export const CONTRIBUTION_STATE: Readonly<Record<'proposed' | 'accepted' | 'declined', { words: string; tone: Tone }>> =
  {
    proposed: { words: 'waiting for the DAO', tone: 'warn' },
    accepted: { words: 'accepted', tone: 'good' },
    declined: { words: 'declined', tone: 'bad' },
  };

export const JOB_STATE: Readonly<Record<JobState, { words: string; tone: Tone }>> = {
  quoted: { words: 'quoted', tone: 'neutral' },
  awaiting_approval: { words: 'waiting for approval', tone: 'warn' },
  funded: { words: 'funded', tone: 'neutral' },
  queued: { words: 'queued', tone: 'neutral' },
  attesting: { words: 'runner proves itself', tone: 'neutral' },
  provisioning: { words: 'keys are released', tone: 'neutral' },
  running: { words: 'ready', tone: 'good' },
  egress_review: { words: 'result in review', tone: 'warn' },
  settling: { words: 'paying out', tone: 'neutral' },
  succeeded: { words: 'closed', tone: 'good' },
  failed: { words: 'failed', tone: 'bad' },
  cancelled: { words: 'cancelled', tone: 'neutral' },
  expired: { words: 'expired', tone: 'warn' },
};

export const KIND_WORDS = { rag: 'answering questions', train: 'training models', stats: 'statistics' } as const;
export const PROTECTION_WORDS = {
  tee: 'trusted hardware (TEE)',
  mpc: 'multi-party computation',
  fhe: 'homomorphic encryption',
} as const;
export const ROLE_WORDS = {
  contributor: 'Contributor',
  treasury: 'Treasury of the DAO',
  runner: 'Runner',
  protocol: 'Protocol',
} as const;
