import type { Clock, Logger, RandomSource } from '@usufruct/kernel';
import type { Chain } from '@usufruct/chain';
import type { Config } from './config/config.js';

/** What the platform is given from outside, and what a test gives instead. */
export interface Outside {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly chain: Chain;
}
export const CONFIG = Symbol('config');
export const CLOCK = Symbol('clock');
export const RANDOM = Symbol('random');
export const LOGGER = Symbol('logger');
export const CHAIN = Symbol('chain');
