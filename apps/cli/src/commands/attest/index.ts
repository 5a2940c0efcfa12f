import type { AddCommand } from '../../program.js';
import { addMeasure } from './measure.js';

export const addAttest: AddCommand = (program, open) => {
  const attest = program.command('attest').description('evidence of trusted hardware, and what its vendors say of it');
  addMeasure(attest, open);
};
