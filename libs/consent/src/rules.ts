import type { ErrorCode } from '@usufruct/kernel';
import type { DecisionInput, DecisionPart } from './decision-input.js';

/** One reason to say no. Rules are evaluated in the order of their list. */
export interface Rule<Input> {
  readonly code: ErrorCode;
  readonly name: string;
  holds(input: Input): boolean;
  /** What was asked and what would satisfy the rule; public codes, ids, times and amounts only. */
  details(input: Input): Record<string, string>;
}

export interface Failure {
  readonly code: ErrorCode;
  /** Position of the rule in its list. */
  readonly order: number;
  readonly details: Readonly<Record<string, string>>;
}

const failureOf = <Input>(rule: Rule<Input>, order: number, input: Input): Failure => ({
  code: rule.code,
  order,
  details: { rule: rule.name, ...rule.details(input) },
});

export const failuresOf = <Input>(rules: readonly Rule<Input>[], input: Input): Failure[] =>
  rules.flatMap((rule, order) => (rule.holds(input) ? [] : [failureOf(rule, order, input)]));

export function firstFailure<Input>(rules: readonly Rule<Input>[], input: Input): Failure | null {
  const order = rules.findIndex((rule) => !rule.holds(input));
  const rule = rules[order];
  return rule === undefined ? null : failureOf(rule, order, input);
}

/** Left out although the caller must have it judged. */
export const isMissing = (
  input: Pick<DecisionInput, 'mustJudge'> & Partial<Record<DecisionPart, unknown>>,
  part: DecisionPart,
): boolean => input[part] === undefined && (input.mustJudge ?? []).includes(part);
