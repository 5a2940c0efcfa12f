import { describe, expect, it } from '@jest/globals';
import { readModelServerAddress } from './address.js';

const read = (text: string) => readModelServerAddress('MODEL_SERVER', text);

describe('the address of a model server', () => {
  it.each([
    ['unix:/run/model.sock', { kind: 'unix', socketPath: '/run/model.sock', path: '/v1' }],
    ['http://127.0.0.1:8080', { kind: 'loopback', host: '127.0.0.1', port: 8080, path: '/v1' }],
    ['http://127.0.0.1:8080/', { kind: 'loopback', host: '127.0.0.1', port: 8080, path: '/v1' }],
    ['http://[::1]:65535/llm/v1', { kind: 'loopback', host: '::1', port: 65535, path: '/llm/v1' }],
  ])('%s', (text, expected) => expect(read(text)).toEqual(expected));

  it.each([
    '',
    'model.sock',
    'unix:',
    'unix:model.sock',
    'unix:\0model',
    'unix:/run/a\0b',
    `unix:/${'x'.repeat(107)}`,
    'http://localhost:8080',
    'http://models.example:8080',
    'http://10.0.0.1:8080',
    'http://169.254.169.254/latest',
    'http://0.0.0.0:8080',
    'http://127.0.0.2:8080',
    'http://127.1:8080',
    'http://2130706433:8080',
    'http://0x7f.0.0.1:8080',
    'http://127.0.0.1',
    'http://127.0.0.1:0',
    'http://127.0.0.1:65536',
    'http://127.0.0.1.example:8080',
    'http://127.0.0.1:8080@models.example',
    'http://user@127.0.0.1:8080',
    'http://127.0.0.1:8080/v1?to=elsewhere',
    'http://127.0.0.1:8080/v1#x',
    'http://127.0.0.1:8080/../v1',
    'http://127.0.0.1:8080/%2e%2e/v1',
    'http://[::ffff:10.0.0.1]:8080',
    'http://[::1]:8080\n.example',
    'https://127.0.0.1:8080',
    ' http://127.0.0.1:8080',
    'file:///run/model.sock',
  ])('refuses %j, without repeating it', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    try {
      read(text);
    } catch (error) {
      expect(JSON.stringify((error as { details?: unknown }).details)).not.toContain('example');
    }
  });
});
