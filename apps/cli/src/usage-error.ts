import { CommanderError } from 'commander';
import { refuse, type UsufructError } from '@usufruct/kernel';

/** Commander's words are kept where they hold only names that this program declares. */
const NAMES_ONLY: readonly string[] = [
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
];
/** The other words repeat what was typed, which does not belong in an error. */
const REASONS: Readonly<Record<string, string>> = {
  'commander.help': 'a command is missing',
  'commander.unknownCommand': 'there is no such command',
  'commander.excessArguments': 'there are more arguments than the command takes',
  'commander.unknownOption': 'there is no such option',
};

/** What was typed wrong, as the catalogue says it: `INVALID_ARGUMENT` with the reason, and never with a typed value. */
export function usageError({ code, message }: CommanderError): UsufructError {
  const reason = NAMES_ONLY.includes(code)
    ? message.replace(/^error: /, '')
    : (REASONS[code] ?? 'an argument is not allowed there');
  return refuse('INVALID_ARGUMENT', { field: 'command line', reason });
}
