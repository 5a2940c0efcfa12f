/**
 * In place of poseidon-lite, which @mysten/sui loads for zkLogin with a tenth of a second of constants: in every test
 * file anew. No signature of that scheme is accepted here, so nothing may call it.
 */
const refuse = () => {
  throw new Error('zkLogin has no part in these tests');
};
export {
  refuse as poseidon1,
  refuse as poseidon2,
  refuse as poseidon3,
  refuse as poseidon4,
  refuse as poseidon5,
  refuse as poseidon6,
  refuse as poseidon7,
  refuse as poseidon8,
  refuse as poseidon9,
  refuse as poseidon10,
  refuse as poseidon11,
  refuse as poseidon12,
  refuse as poseidon13,
  refuse as poseidon14,
  refuse as poseidon15,
  refuse as poseidon16,
};
