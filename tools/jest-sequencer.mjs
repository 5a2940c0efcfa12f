/**
 * The longest first, so that no worker is left alone with one at the end. Jest goes by the times of earlier runs, and
 * without them, as on a fresh machine, by the sizes of the files: those that only start a process are short and long.
 */
import Sequencer from '@jest/test-sequencer';

const LONG = ['test/conformance/conformance.spec.ts', 'tools/move/move.spec.ts', 'tools/attestation/fuzz.spec.ts'];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => LONG.findIndex((file) => path.endsWith(file)) + 1 || LONG.length + 1;
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
