import { randomUUID, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { asId, refuse, toBase64Url, type Address, type Clock, type RandomSource } from '@usufruct/kernel';
import { PrismaService, toMs, toMsOrNull } from '../prisma/index.js';
import type { ApiKey } from '../prisma/generated/client.js';
import { CLOCK, RANDOM } from '../tokens.js';
import type { ApiKeyCreatedType, ApiKeyType, CreateApiKeyInput } from './auth.types.js';
import { secretHash } from './keys.js';
import { API_SCOPES, type ApiScope, type Viewer } from './viewer.js';

const DAY_MS = 24 * 60 * 60_000;
const MAX_TERM_DAYS = 366;
const MAX_NAME = 100;
const MAX_KEYS = 100;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FORM = /^usk_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export const isApiKey = (bearer: string): boolean => bearer.startsWith('usk_');

/** Keys for programs of a wallet's owner: `usk_<id>_<secret>`, stored as a hash, with scopes and an end. */
@Injectable()
export class ApiKeys {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: RandomSource,
    private readonly prisma: PrismaService,
  ) {}

  async create(address: Address, input: CreateApiKeyInput): Promise<ApiKeyCreatedType> {
    checkInput(input);
    const count = await this.prisma.apiKey.count({ where: { address, revokedAt: null } });
    if (count >= MAX_KEYS) throw refuse('RATE_LIMITED', { limit: String(MAX_KEYS), what: 'API keys' });
    const now = this.clock.nowMs();
    const id = randomUUID();
    const secret = `usk_${id}_${toBase64Url(this.random(32))}`;
    const row = await this.prisma.apiKey.create({
      data: {
        id,
        address,
        name: input.name,
        secretHash: secretHash(secret),
        scopes: [...new Set(input.scopes)],
        createdAt: new Date(now),
        expiresAt: new Date(now + input.termDays * DAY_MS),
      },
    });
    return { __typename: 'ApiKeyCreated', apiKey: toApiKey(row), secret };
  }

  /** Revoking twice is the same as once. `NOT_FOUND` for what is not the caller's. */
  async revoke(address: Address, id: string): Promise<ApiKeyType> {
    if (!UUID.test(id)) throw refuse('NOT_FOUND', { what: 'API key' });
    await this.prisma.apiKey.updateMany({
      where: { id, address, revokedAt: null },
      data: { revokedAt: new Date(this.clock.nowMs()) },
    });
    const row = await this.prisma.apiKey.findFirst({ where: { id, address } });
    if (row === null) throw refuse('NOT_FOUND', { what: 'API key' });
    return toApiKey(row);
  }

  async list(address: Address): Promise<ApiKeyType[]> {
    const rows = await this.prisma.apiKey.findMany({ where: { address }, orderBy: { createdAt: 'asc' } });
    return rows.map(toApiKey);
  }

  async viewerOf(secret: string): Promise<Viewer | null> {
    const id = FORM.exec(secret)?.[1];
    if (id === undefined) return null;
    const row = await this.prisma.apiKey.findUnique({ where: { id } });
    if (row === null || row.revokedAt !== null || toMs(row.expiresAt) <= this.clock.nowMs()) return null;
    const matches = timingSafeEqual(Buffer.from(row.secretHash), Buffer.from(secretHash(secret)));
    return matches ? { address: asId(row.address, 'address'), scopes: scopesOf(row), sessionId: null } : null;
  }
}

function checkInput(input: CreateApiKeyInput): void {
  if (input.name.trim() === '' || input.name.length > MAX_NAME) {
    throw refuse('INVALID_ARGUMENT', { field: 'name', expected: `1 to ${MAX_NAME} characters` });
  }
  if (input.scopes.length === 0) throw refuse('INVALID_ARGUMENT', { field: 'scopes', expected: 'at least one scope' });
  if (input.termDays < 1 || input.termDays > MAX_TERM_DAYS) {
    throw refuse('INVALID_ARGUMENT', { field: 'termDays', expected: `1 to ${MAX_TERM_DAYS}` });
  }
}

const scopesOf = (row: ApiKey): ApiScope[] => API_SCOPES.filter((scope) => row.scopes.includes(scope));

const toApiKey = (row: ApiKey): ApiKeyType => ({
  __typename: 'ApiKey',
  apiKeyId: row.id,
  name: row.name,
  scopes: scopesOf(row),
  createdAtMs: toMs(row.createdAt),
  expiresAtMs: toMs(row.expiresAt),
  revokedAtMs: toMsOrNull(row.revokedAt),
});
