import { Inject, Injectable } from '@nestjs/common';
import type { ChainReader } from '@usufruct/chain';
import type { ChainInfo } from '@usufruct/protocol';
import { CHAIN } from '../tokens.js';

/** A chain never changes what it is, so it is asked once, and again only if that failed. */
@Injectable()
export class ChainIdentity {
  private known: Promise<ChainInfo> | undefined;
  constructor(@Inject(CHAIN) private readonly chain: ChainReader) {}

  async info(): Promise<ChainInfo> {
    this.known ??= this.chain.info();
    try {
      return await this.known;
    } catch (error) {
      this.known = undefined;
      throw error;
    }
  }
}
