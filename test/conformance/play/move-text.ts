import { toHex, type Hex32 } from '@usufruct/kernel';
import {
  COMPUTATION_KINDS,
  PROTECTION_KINDS,
  type ComputationKind,
  type ProtectionKind,
  type StatementSignature,
} from '@usufruct/protocol';

/** TypeScript values as Move source text. */
export const address = (id: Hex32 | string): string => `@${id}`;
export const bytes = (value: Uint8Array): string => `x"${toHex(value)}"`;
export const text = (ascii: string): string => {
  if (!/^[\x20-\x7e]*$/.test(ascii) || /["\\]/.test(ascii)) throw new RangeError('not text of a Move literal');
  return `b"${ascii}"`;
};
export const list = (values: readonly string[]): string => `vector[${values.join(', ')}]`;
export const number = (value: number | bigint): string => String(value);
export const flag = (value: boolean): string => (value ? 'true' : 'false');
export const kind = (value: ComputationKind): string => number(COMPUTATION_KINDS.indexOf(value));
export const protection = (value: ProtectionKind): string => number(PROTECTION_KINDS.indexOf(value));

/** Signatures as two lists: whose they are, and what they are. */
export const signatures = (all: readonly StatementSignature[]): [string, string] => [
  list(all.map(({ member }) => `${member}u8`)),
  list(all.map(({ signature }) => bytes(signature))),
];

/** A call of a function of the stage, named with its module; the stage is its first argument. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
}
export const call = (name: string, ...args: readonly string[]): Call => ({ name, args });
export const statement = ({ name, args }: Call): string => `${name}(${['&mut s', ...args].join(', ')});`;
