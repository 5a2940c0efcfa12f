/** A sparse matrix in compressed rows, and dense ones row-major: products that go through each entry once. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly starts: Uint32Array;
  readonly columnOf: Uint32Array;
  readonly values: Float64Array;
}

/** A · X, with X of `width` columns. */
export function times(a: SparseMatrix, x: Float64Array, width: number): Float64Array {
  const product = new Float64Array(a.rows * width);
  for (let row = 0; row < a.rows; row++) {
    for (let i = a.starts[row]!; i < a.starts[row + 1]!; i++) {
      addRow(product, row * width, x, a.columnOf[i]! * width, a.values[i]!, width);
    }
  }
  return product;
}

/** Aᵀ · Y, with Y of `width` columns. */
export function transposeTimes(a: SparseMatrix, y: Float64Array, width: number): Float64Array {
  const product = new Float64Array(a.columns * width);
  for (let row = 0; row < a.rows; row++) {
    for (let i = a.starts[row]!; i < a.starts[row + 1]!; i++) {
      addRow(product, a.columnOf[i]! * width, y, row * width, a.values[i]!, width);
    }
  }
  return product;
}

/** X · W, with X of `width` and W of `width` rows and the first `kept` of its `width` columns. */
export function timesDense(x: Float64Array, w: Float64Array, width: number, kept: number): Float64Array {
  const rows = x.length / width;
  const product = new Float64Array(rows * kept);
  const packed = new Float64Array(width * kept);
  for (let i = 0; i < width; i++) packed.set(w.subarray(i * width, i * width + kept), i * kept);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) addRow(product, row * kept, packed, i * kept, x[row * width + i]!, kept);
  }
  return product;
}

/** Xᵀ · Y where that is symmetric; of rounding the mean of both sides is taken. */
export function innerProducts(x: Float64Array, y: Float64Array, width: number): Float64Array {
  const product = new Float64Array(width * width);
  for (let at = 0; at < x.length; at += width) {
    for (let i = 0; i < width; i++) addRow(product, i * width, y, at, x[at + i]!, width);
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (product[i * width + j]! + product[j * width + i]!) / 2;
      product[i * width + j] = mean;
      product[j * width + i] = mean;
    }
  }
  return product;
}

function addRow(to: Float64Array, at: number, from: Float64Array, start: number, factor: number, width: number): void {
  for (let j = 0; j < width; j++) to[at + j]! += factor * from[start + j]!;
}
