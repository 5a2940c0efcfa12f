import { fromBase64, refuse, type HolderSetId } from '@usufruct/kernel';
import type { HolderSetView } from '@usufruct/protocol';
import { holderSigningKey, readRotation, zRotationDraft } from '@usufruct/sdk';
import { integerOf } from '../arguments.js';
import { readJsonFile, writeJsonFile } from '../files-json.js';
import { operatorOf, secretOf } from '../holder-secret.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { timeOf } from '../words.js';

export const addHolderSet: AddCommand = (program, open) => {
  const holderSet = program
    .command('holder-set')
    .description('key holders that split keys among them, register runners and renew themselves');
  holderSet
    .command('create')
    .description('register the configured key holders; repeating it with the same key changes nothing')
    .option('--threshold <n>', 'how many of them release a key', '2')
    .option('--key <text>', 'names the set in your journal', 'default')
    .action(async ({ threshold, key }: { threshold: string; key: string }, command) => {
      const runtime = open(command);
      const made = await runtime.client().daos.createHolderSet({
        key: JSON.stringify(['holder-set', key]),
        threshold: integerOf(threshold, 'threshold'),
      });
      runtime.terminal.result({ holderSetId: made.id, holderSet: made }, [
        `holder set ${made.id}`,
        ...memberLines(made),
      ]);
    });
  holderSet
    .command('show')
    .description('its members, and every version that it had')
    .argument('<holder-set>')
    .action(async (text: string, _options, command) => {
      const runtime = open(command);
      const id = idArgument<HolderSetId>(text, 'holder-set');
      const view = await runtime.chain().holderSet(id);
      const versions = await runtime.client().holderSets.versions(id);
      runtime.terminal.result({ holderSet: view, versions }, [
        ...memberLines(view),
        ...versions.map(
          ({ version, threshold, members, atMs }) =>
            `version ${version}: ${threshold} of ${members.length}, ${timeOf(atMs)}`,
        ),
      ]);
    });
  addRotation(holderSet, open);
  addTombstone(holderSet, open);
};

interface DraftOptions {
  readonly threshold: string;
  readonly holder?: string[];
  readonly out: string;
}

/** A rotation is drafted, signed by enough members of the set as it is, and sent by anyone. */
const addRotation: AddCommand = (holderSet, open) => {
  holderSet
    .command('draft')
    .description('write down the next version of a set, for its members to sign')
    .argument('<holder-set>')
    .requiredOption('--threshold <n>', 'how many of the new members release a key')
    .option('--holder <url...>', 'the new members (default: the configured key holders)')
    .requiredOption('--out <file>')
    .action(async (text: string, { threshold, holder, out }: DraftOptions, command) => {
      const runtime = open(command);
      const { holderSets } = runtime.client();
      const id = idArgument<HolderSetId>(text, 'holder-set');
      const members = await holderSets.membersAt(holder ?? runtime.endpoints().holderUrls);
      const draft = await holderSets.draftRotation(id, members, integerOf(threshold, 'threshold'));
      writeJsonFile(out, draft);
      const { version } = readRotation(draft);
      runtime.terminal.result({ draft, version, file: out }, [`version ${version}, to be signed: ${out}`]);
    });
  holderSet
    .command('sign')
    .description('add the signature of a key holder to a drafted rotation, in place')
    .argument('<file>', 'written by holder-set draft')
    .requiredOption('--secret-file <file>', "the holder's secret: 64 hex digits")
    .action(async (path: string, { secretFile }: { secretFile: string }, command) => {
      const runtime = open(command);
      const draft = readJsonFile(path, zRotationDraft, 'rotation file');
      const signed = await runtime.client().holderSets.signRotation(draft, holderSigningKey(secretOf(secretFile)));
      writeJsonFile(path, signed);
      const { version, members, threshold } = readRotation(signed);
      runtime.terminal.result({ draft: signed, version }, [
        `version ${version}: ${threshold} of ${members.length}; ${signed.signatures.length} signatures so far`,
      ]);
    });
  holderSet
    .command('rotate')
    .description('make a signed draft the next version of the set; manifests that name the set stay as they are')
    .argument('<file>')
    .action(async (path: string, _options, command) => {
      const runtime = open(command);
      const draft = readJsonFile(path, zRotationDraft, 'rotation file');
      const rotated = await runtime.client().holderSets.rotate(draft);
      runtime.terminal.result({ holderSet: rotated }, [
        `holder set ${rotated.id}, version ${rotated.version}`,
        ...memberLines(rotated),
      ]);
    });
};

const addTombstone: AddCommand = (holderSet, open) => {
  holderSet
    .command('tombstone')
    .description('retire a member for good, by its operator: its keys never count again')
    .argument('<holder-set>')
    .argument('<member>', 'its number, from 1')
    .option('--secret-file <file>', "act as this holder's operator instead of with your wallet")
    .action(async (text: string, number: string, { secretFile }: { secretFile?: string }, command) => {
      const runtime = open(command);
      const id = idArgument<HolderSetId>(text, 'holder-set');
      const member = (await runtime.chain().holderSet(id)).members[integerOf(number, 'member') - 1];
      if (member === undefined) throw refuse('NOT_FOUND', { object: 'member' });
      const client = secretFile === undefined ? runtime.client() : runtime.clientOf(operatorOf(secretOf(secretFile)));
      const view = await client.holderSets.tombstone(id, member.signingPublicKey);
      runtime.terminal.result({ holderSet: view }, memberLines(view));
    });
};

function memberLines({ members, threshold, version, tombstonedKeys }: HolderSetView): string[] {
  return [
    `version ${version}: ${threshold} of ${members.length}`,
    ...members.map(({ operator, signingPublicKey }, i) => {
      const retired = tombstonedKeys.includes(signingPublicKey) ? '  RETIRED' : '';
      return `  key holder ${i + 1}: ${Buffer.from(fromBase64(signingPublicKey)).toString('hex')}, operated by ${operator}${retired}`;
    }),
  ];
}
