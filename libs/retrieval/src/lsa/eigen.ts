/** Sweeps over all pairs; convergence is quadratic, and 144 × 144 takes about 8. */
const MAX_SWEEPS = 30;

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** `width` × `width`, row-major; column j belongs to value j. */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and orthonormal eigenvectors of a symmetric matrix, row-major, by cyclic Jacobi rotations (Golub and Van
 * Loan, "Matrix Computations", §8.5). The matrix is overwritten.
 */
export function symmetricEigen(matrix: Float64Array, width: number): Eigen {
  const rotations = new Float64Array(width * width);
  for (let i = 0; i < width; i++) rotations[i * width + i] = 1;
  const small = 1e-24 * sumOfSquares(matrix);
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(matrix, width) > small; sweep++) {
    for (let p = 0; p < width - 1; p++) for (let q = p + 1; q < width; q++) rotate(matrix, rotations, width, p, q);
  }
  const order = Array.from({ length: width }, (_, i) => i);
  order.sort((a, b) => matrix[b * width + b]! - matrix[a * width + a]! || a - b);
  const vectors = new Float64Array(width * width);
  // Rotations are kept with the eigenvectors as rows: what is touched together lies together.
  order.forEach((from, to) => {
    for (let i = 0; i < width; i++) vectors[i * width + to] = rotations[from * width + i]!;
  });
  return { values: Float64Array.from(order, (i) => matrix[i * width + i]!), vectors };
}

/** Make the entry at (p, q) zero. */
function rotate(matrix: Float64Array, rotations: Float64Array, width: number, p: number, q: number): void {
  const entry = matrix[p * width + q]!;
  if (entry === 0) return;
  const theta = (matrix[q * width + q]! - matrix[p * width + p]!) / (2 * entry);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  turnRows(matrix, width, p, q, c, s);
  for (let i = 0; i < width; i++) {
    const [left, right] = [matrix[i * width + p]!, matrix[i * width + q]!];
    matrix[i * width + p] = c * left - s * right;
    matrix[i * width + q] = s * left + c * right;
  }
  matrix[p * width + q] = 0;
  matrix[q * width + p] = 0;
  turnRows(rotations, width, p, q, c, s);
}

function turnRows(rows: Float64Array, width: number, p: number, q: number, c: number, s: number): void {
  const [ofP, ofQ] = [p * width, q * width];
  for (let i = 0; i < width; i++) {
    const left = rows[ofP + i]!;
    const right = rows[ofQ + i]!;
    rows[ofP + i] = c * left - s * right;
    rows[ofQ + i] = s * left + c * right;
  }
}

const sumOfSquares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

function offDiagonal(matrix: Float64Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) sum += 2 * matrix[i * width + j]! ** 2;
  return sum;
}
