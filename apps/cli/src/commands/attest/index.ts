import type { AddCommand } from '../../program.js';
import { addEndorsements } from './endorsements.js';
import { addMeasure } from './measure.js';
import { addResult } from './result.js';
import { addVerify } from './verify.js';

export const addAttest: AddCommand = (program, open) => {
  const attest = program.command('attest').description('evidence of trusted hardware, and what its vendors say of it');
  addVerify(attest, open);
  addResult(attest, open);
  addEndorsements(attest, open);
  addMeasure(attest, open);
};
