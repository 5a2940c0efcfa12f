import { describe, expect, it } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { isPublicAddress, publicLookup, requireWebhookUrl } from './public-address.js';

describe('public addresses', () => {
  it.each(['1.1.1.1', '93.184.215.14', '172.15.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    '%s is one',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254', // where clouds keep their credentials
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:1.1.1.1', // whatever it carries
    '64:ff9b::a00:1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    'localhost',
    '',
    '1.1.1',
    '0x7f.1',
  ])('%s is none', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('name resolution for webhooks', () => {
  type Answer = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void;
  const resolving = (...addresses: string[]) =>
    publicLookup(((_host: string, _options: object, done: Answer) => {
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as never);
  const look = (lookup: ReturnType<typeof publicLookup>, all: boolean) =>
    new Promise((done) => lookup('hook.example', { all }, (error, found) => done(error?.message ?? found)));

  it('gives what is public, in the form that was asked for', async () => {
    expect(await look(resolving('1.1.1.1'), false)).toBe('1.1.1.1');
    expect(await look(resolving('1.1.1.1', '2606:4700::1'), true)).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
  });
  it.each([[['127.0.0.1']], [['1.1.1.1', '10.0.0.1']], [['::1', '1.1.1.1']], [[]]])(
    'gives nothing of a name with %j',
    async (addresses) => {
      expect(await look(resolving(...addresses), true)).toBe('not a public address');
      expect(await look(resolving(...addresses), false)).toBe('not a public address');
    },
  );
});

describe('a webhook URL', () => {
  const take = (text: string, anywhere = false): string => {
    try {
      return requireWebhookUrl(text, { anywhere }).href;
    } catch (error) {
      return String((error as { code?: string }).code);
    }
  };
  it('is https on a host that may be public', () => {
    expect(take('https://hooks.example/a?b=c')).toBe('https://hooks.example/a?b=c');
    expect(take('https://1.1.1.1:8443/')).toBe('https://1.1.1.1:8443/');
    expect(take('https://[2606:4700::1]/')).toBe('https://[2606:4700::1]/');
  });
  it.each([
    'http://hooks.example/',
    'ftp://hooks.example/',
    'file:///etc/passwd',
    'https://user:secret@hooks.example/',
    'https://user@hooks.example/',
    'https://hooks.example/#part',
    'https://127.0.0.1/',
    'https://0x7f.1/', // a browser's URL parser reads it as 127.0.0.1
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest',
    'hooks.example',
    '',
    `https://hooks.example/${'a'.repeat(1_024)}`,
  ])('is not %s', (text) => expect(take(text)).toBe('INVALID_ARGUMENT'));
  it('may be anything of http in development', () => {
    expect(take('http://127.0.0.1:9/x', true)).toBe('http://127.0.0.1:9/x');
    expect(take('http://user@127.0.0.1/', true)).toBe('INVALID_ARGUMENT');
  });
});
