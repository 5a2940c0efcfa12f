import type { Clock, Logger, RandomSource } from '@usufruct/kernel';
import type { AppraisalDesk } from '@usufruct/attestation';
import type { Chain } from '@usufruct/chain';
import type { Config } from './config/config.js';
import type { StorePort } from './store/index.js';

/** What the platform is given from outside, and what a test gives instead. */
export interface Outside {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly chain: Chain;
  /** Judges evidence; missing: one that trusts the vendors' roots, and has neither policies nor endorsements. */
  readonly desk?: AppraisalDesk;
  /** The store that leases are kept at; missing: the one that is configured. */
  readonly store?: StorePort;
}
export const CONFIG = Symbol('config');
export const CLOCK = Symbol('clock');
export const RANDOM = Symbol('random');
export const LOGGER = Symbol('logger');
export const CHAIN = Symbol('chain');
export const APPRAISAL_DESK = Symbol('appraisal desk');
export const STORE = Symbol('store');
