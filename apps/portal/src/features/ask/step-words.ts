import type { AskStep } from '@usufruct/sdk';

export const STEP_WORDS: Readonly<Record<AskStep, string>> = {
  waiting: 'the runner is getting ready',
  attesting: 'checking the runner, then encrypting',
  asking: 'sending the encrypted question',
  computing: 'the runner searches and answers',
  settling: 'the chain pays those whose data was used',
  verifying: 'checking answer and receipt here',
  done: 'done',
};
