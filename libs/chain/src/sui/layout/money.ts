import { units } from './common.js';
import { struct, u128 } from './move-types.js';

const balance = struct('0x2::balance::Balance<T0>', { value: units });
export const vault = struct('custody::Vault<T0>', { held: balance, deposited_units: u128, withdrawn_units: u128 });
