import type { ErrorCode } from '@usufruct/kernel';

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

export const failuresOf = <Input>(rules: readonly Rule<Input>[], input: Input): Failure[] =>
  rules.flatMap((rule, order) =>
    rule.holds(input) ? [] : [{ code: rule.code, order, details: { rule: rule.name, ...rule.details(input) } }],
  );

export const firstFailure = <Input>(rules: readonly Rule<Input>[], input: Input): Failure | null =>
  failuresOf(rules, input)[0] ?? null;
