import { purposeLabel } from '@usufruct/consent';
import type { DaoId, LicenceId } from '@usufruct/kernel';
import type { LicenceOfferView } from '@usufruct/protocol';
import { durationWords, type Words } from '@usufruct/sdk';
import { parseCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { orNone, timeOf, wordsIn, wordsOf } from '../words.js';

export const addLicence: AddCommand = (program, open) => {
  const licence = program.command('licence').description('the right to fund jobs of one kind on a dataset');
  licence
    .command('offers')
    .description('what the members of a DAO voted to offer')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const offers = await runtime.client().licences.offers(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const lines = offers.map(({ id: offerId, terms, withdrawnAtMs }) => {
        const state = withdrawnAtMs === null ? '' : `  withdrawn ${timeOf(withdrawnAtMs)}`;
        return `${offerId}  ${termsLine(terms, words)}${state}`;
      });
      runtime.terminal.result({ offers }, orNone(lines));
    });
  licence
    .command('buy')
    .description('pay for a licence; it cannot be passed on')
    .argument('<offer>')
    .option('--at-most <amount>', 'refuse before paying if it costs more, in coins')
    .option('--key <text>', 'repeating with the same key never buys a second one')
    .action(async (id: string, { atMost, key }: { atMost?: string; key?: string }, command) => {
      const runtime = open(command);
      const { coin } = await runtime.chain().info();
      const bought = await runtime.client().licences.buy({
        key: key ?? crypto.randomUUID(),
        offerId: idArgument<LicenceId>(id, 'offer'),
        ...(atMost !== undefined && { priceAtMostUnits: parseCoins(atMost, coin, 'at-most') }),
      });
      runtime.terminal.result({ licenceId: bought.id, licence: bought }, [
        `licence ${bought.id} until ${timeOf(bought.expiresAtMs)}`,
        termsLine(bought.terms, wordsIn(coin)),
      ]);
    });
  licence
    .command('list')
    .description('licences of your wallet; with --dao all that this DAO has sold')
    .option('--dao <id>')
    .action(async ({ dao }: { dao?: string }, command) => {
      const runtime = open(command);
      const client = runtime.client();
      const licences = await client.licences.list(
        dao === undefined ? { licensee: client.address } : { daoId: idArgument<DaoId>(dao, 'dao') },
      );
      const words = await wordsOf(runtime);
      const lines = licences.map(
        ({ id, licensee, terms, expiresAtMs }) =>
          `${id}  of ${licensee}  until ${timeOf(expiresAtMs)}  ${termsLine(terms, words)}`,
      );
      runtime.terminal.result({ licences }, orNone(lines));
    });
};

const termsLine = (
  { datasetId, purpose, computation, protection, priceUnits, termMs }: LicenceOfferView['terms'],
  { amount }: Words,
): string =>
  `${amount(priceUnits)} for ${durationWords(termMs)}: ${purposeLabel(purpose)}, ${computation}, ${protection}, dataset ${datasetId}`;
