import { toHex } from '@usufruct/kernel';
import { encodeObjectId, isObjectId, octets, parseDer, smallInteger, type DerElement } from '../x509/der.js';

/** What Intel certifies of the platform in its PCK certificate (SGX PCK Certificate and CRL Profile, §1.3.5). */
export interface PckExtension {
  /** Lower-case hex, 16 bytes: who the platform is. */
  readonly ppid: string;
  /** Lower-case hex, 6 bytes: which family and configuration. */
  readonly fmspc: string;
  /** Lower-case hex, 2 bytes. */
  readonly pceId: string;
  /** 16 security version numbers. */
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
}

export const SGX_EXTENSION = '1.2.840.113741.1.13.1';
export const SGX_COMPONENTS = 16;
const id = (suffix: string): Uint8Array => encodeObjectId(`${SGX_EXTENSION}.${suffix}`);
const [PPID, TCB, PCEID, FMSPC] = [id('1'), id('2'), id('3'), id('4')];
const COMPONENTS = Array.from({ length: SGX_COMPONENTS }, (_, i) => id(`2.${i + 1}`));
const PCESVN = id('2.17');

/** Null unless every field is there once and of its size. */
export function parsePckExtension(value: Uint8Array): PckExtension | null {
  const fields = parseDer(value);
  const tcb = fields && only(fields, TCB);
  if (fields === null || tcb === null) return null;
  const bytes = (identifier: Uint8Array, length: number): string | null => {
    const element = only(fields, identifier);
    const found = element && octets(element, length);
    return found && toHex(found);
  };
  const [ppid, fmspc, pceId] = [bytes(PPID, 16), bytes(FMSPC, 6), bytes(PCEID, 2)];
  const componentSvns = COMPONENTS.map((identifier) => integer(tcb, identifier)).filter((svn) => svn !== null);
  const pceSvn = integer(tcb, PCESVN);
  if (ppid === null || fmspc === null || pceId === null || pceSvn === null) return null;
  return componentSvns.length === SGX_COMPONENTS ? { ppid, fmspc, pceId, componentSvns, pceSvn } : null;
}

/** The value of the one pair (identifier, value) with this identifier; null if there is none or more than one. */
function only(pairs: DerElement, identifier: Uint8Array): DerElement | null {
  const found = pairs.children.filter(
    ({ children }) => children[0] !== undefined && isObjectId(children[0], identifier),
  );
  const [pair, ...more] = found;
  return more.length === 0 && pair?.children.length === 2 ? pair.children[1]! : null;
}

function integer(pairs: DerElement, identifier: Uint8Array): number | null {
  const element = only(pairs, identifier);
  return element && smallInteger(element);
}
