/** Dense rows in one byte a number: value = `values[i]` · `scales[row]`. Within half a step of 1/127 of the row's largest. */
export interface QuantisedRows {
  readonly width: number;
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

export const rowCount = ({ scales }: QuantisedRows): number => scales.length;

export function quantised(rows: Float64Array, width: number): QuantisedRows {
  const scales = new Float32Array(width === 0 ? 0 : rows.length / width);
  const values = new Int8Array(rows.length);
  for (let row = 0; row < scales.length; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(rows[i]!));
    if (largest === 0) continue;
    scales[row] = largest / 127;
    for (let i = row * width; i < (row + 1) * width; i++) values[i] = Math.round((rows[i]! / largest) * 127);
  }
  return { width, values, scales };
}

/** The row's inner product with a vector of its width. */
export function dotRow({ width, values, scales }: QuantisedRows, row: number, vector: Float64Array): number {
  let sum = 0;
  for (let j = 0, i = row * width; j < width; j++, i++) sum += values[i]! * vector[j]!;
  return sum * scales[row]!;
}

/** vector += factor · row */
export function addRowTo(
  vector: Float64Array,
  { width, values, scales }: QuantisedRows,
  row: number,
  factor: number,
): void {
  const scaled = factor * scales[row]!;
  for (let j = 0, i = row * width; j < width; j++, i++) vector[j]! += scaled * values[i]!;
}
