import type { Endorsements } from '../types.js';
import type { IssuedList, ReadLists } from '../x509/crl-checks.js';
import { parseCrl } from '../x509/crl.js';
import { pckCaOf, type TdxChains } from './chain-checks.js';
import { TDX_ENDORSEMENTS } from './collateral.js';

/** The root's list and the one of the CA that issued the PCK certificate. */
export function readLists(endorsements: Endorsements, chains: TdxChains): ReadLists {
  const ca = pckCaOf(chains.pck);
  const [, pckCa, root] = chains.pck;
  if (ca === null || pckCa === undefined || root === undefined) return { flaw: 'the PCK certificate has no known CA' };
  const wanted = [
    { name: TDX_ENDORSEMENTS.rootCrl, issuer: root },
    { name: TDX_ENDORSEMENTS.pckCrl(ca), issuer: pckCa },
  ];
  const lists: IssuedList[] = [];
  for (const { name, issuer } of wanted) {
    const bytes = endorsements[name];
    const list = bytes && parseCrl(bytes);
    if (!list) return { flaw: `${name} is ${bytes === undefined ? 'missing' : 'malformed'}` };
    lists.push({ list, issuer });
  }
  return lists;
}
