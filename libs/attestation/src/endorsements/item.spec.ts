import { expect, it } from '@jest/globals';
import { SNP_ENDORSEMENTS } from '../snp/inspect.js';
import { TDX_ENDORSEMENTS } from '../tdx/collateral.js';
import { itemOfName, nameOfItem } from './item.js';

it('names that the appraisal uses are the names of items', () => {
  for (const name of [
    TDX_ENDORSEMENTS.rootCrl,
    TDX_ENDORSEMENTS.pckCrl('processor'),
    TDX_ENDORSEMENTS.tcbInfo('00606a000000'),
    SNP_ENDORSEMENTS.chain('VLEK', 'Turin'),
    SNP_ENDORSEMENTS.crl('Genoa'),
    `amd/Turin/vcek/${'0a'.repeat(8)}-1.2.3.4.5.der`,
    `nvidia/ocsp/${'0a'.repeat(32)}.der`,
    'nvidia/nras/jwks.json',
  ]) {
    expect(nameOfItem(itemOfName(name)!)).toBe(name);
  }
  for (const name of [
    '../intel/root-ca.crl',
    'intel/root-ca.crl\n',
    'intel/tdx/tcb-00606A000000.json',
    'nvidia/rim/../../x.xml',
    'nvidia/rim/..xml',
    `amd/Turin/vcek/${'0a'.repeat(64)}-1.2.3.4.5.der`,
    'amd/Milan/vcek/0a0a0a0a0a0a0a0a-01.2.3.4.5.der',
  ]) {
    expect(itemOfName(name)).toBeNull();
  }
});
