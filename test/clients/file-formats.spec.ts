import { expect, it } from '@jest/globals';
import { FILE_FORMATS } from '@usufruct/sdk';
import { FORMAT_OF_ENDING } from '../../apps/enclave-runner/src/compute/rag/parse/detect-format.js';

it('takes the names that the runner reads, and no others', () => {
  expect(FILE_FORMATS).toEqual(FORMAT_OF_ENDING);
});
