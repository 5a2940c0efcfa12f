import type { Type } from '@nestjs/common';
import { createUnionType, Field, InterfaceType, ObjectType, registerEnumType } from '@nestjs/graphql';
import { CATALOGUE, ERROR_CODES, isErrorCode, refuse, type ErrorCode, type UsufructError } from '@usufruct/kernel';
import { familyOf, REFUSAL_FAMILIES, type RefusalFamily } from './families.js';

const errorCodes = Object.fromEntries(ERROR_CODES.map((code) => [code, code]));
registerEnumType(errorCodes, { name: 'ErrorCode', description: 'The one catalogue of refusals and errors.' });
export const ErrorCodeEnum = errorCodes;

@ObjectType()
export class Detail {
  @Field()
  key!: string;
  @Field()
  value!: string;
}

@InterfaceType({
  description: 'An expected no: what happened, and what would satisfy the rule that refused.',
  resolveType: typeNameOf,
})
export abstract class Refusal {
  @Field(() => ErrorCodeEnum)
  code!: ErrorCode;
  @Field()
  message!: string;
  @Field()
  remedy!: string;
  @Field(() => [Detail])
  details!: Detail[];
}

@ObjectType({ description: 'What went wrong with a job or a question, as its runner said it.' })
export class ErrorInfo {
  @Field(() => ErrorCodeEnum)
  code!: ErrorCode;
  @Field()
  message!: string;
  @Field()
  remedy!: string;
  @Field(() => [Detail])
  details!: Detail[];
}

/** One GraphQL type per family, made from the table so that the two cannot differ. */
const refusalTypes = Object.entries(REFUSAL_FAMILIES).map(([name, description]) => {
  class Family extends Refusal {}
  Object.defineProperty(Family, 'name', { value: name });
  ObjectType(name, { description, implements: () => [Refusal] })(Family);
  return Family;
});

export interface RefusalValue extends ErrorInfo {
  readonly __typename: RefusalFamily;
}

export const toDetails = (details: Readonly<Record<string, string>>): Detail[] =>
  Object.entries(details).map(([key, value]) => ({ key, value }));

export const toErrorInfo = (error: UsufructError): ErrorInfo => ({
  code: error.code,
  message: error.message,
  remedy: error.entry.remedy,
  details: toDetails(error.details),
});

/** The refusal as a value of its family's type, or null when the error is a fault. */
export function toRefusalValue(error: UsufructError): RefusalValue | null {
  const family = familyOf(error.code);
  return family === null ? null : { __typename: family, ...toErrorInfo(error) };
}

/** An error that another process told and that was stored in wire form. */
export function errorInfoFromWire(stored: unknown): ErrorInfo | null {
  if (typeof stored !== 'object' || stored === null || !('code' in stored)) return null;
  const { code } = stored;
  const details = 'details' in stored && typeof stored.details === 'object' ? (stored.details ?? {}) : {};
  if (!isErrorCode(code)) return toErrorInfo(refuse('UPSTREAM_INVALID'));
  return {
    code,
    message: CATALOGUE[code].message,
    remedy: CATALOGUE[code].remedy,
    details: toDetails(Object.fromEntries(Object.entries(details).map(([key, value]) => [key, String(value)]))),
  };
}

/** Every object that can stand for an interface or a union says which type it is. */
export function typeNameOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && '__typename' in value) return String(value.__typename);
  throw new Error('a value of an abstract type names no type');
}

/** `union <name> = <success> | every family of refusals`. */
export function resultUnion<T extends object>(name: string, success: Type<T>): T | RefusalValue {
  const types: Type[] = [success, ...refusalTypes];
  return createUnionType({ name, types: () => types, resolveType: typeNameOf }) as T | RefusalValue;
}
