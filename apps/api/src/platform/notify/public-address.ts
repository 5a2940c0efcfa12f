import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { refuse } from '@usufruct/kernel';

/**
 * Addresses that are not on the public internet (IANA's special-purpose registries, RFC 6890 and its updates): a URL
 * that a user gave must not make this process speak to its own network.
 */
const SPECIAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  SPECIAL.addSubnet(network, prefix, 'ipv4');

/** Of IPv6 only global unicast counts as public, less what lies in it for other ends. */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');
const SPECIAL_V6 = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 and its kin carry an IPv4 address in which anything may stand.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const)
  SPECIAL_V6.addSubnet(network, prefix, 'ipv6');

/** Whether a literal IP address is on the public internet; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !SPECIAL.check(address, 'ipv4');
  // IPv4 within IPv6 (::ffff:0:0/96, 64:ff9b::/96) lies outside global unicast, so it is refused, too.
  return family === 6 && GLOBAL_UNICAST.check(address, 'ipv6') && !SPECIAL_V6.check(address, 'ipv6');
}

/**
 * Name resolution that gives public addresses only. It is what the connection uses, so a name that answers otherwise
 * the second time (DNS rebinding) gains nothing. A name with any address that is not public is refused whole.
 */
export const publicLookup =
  (lookup: typeof systemLookup = systemLookup): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        return done(new Error('not a public address'), '', 0);
      }
      // A caller that asks for all addresses (as a connection does that tries both families) gets all of them.
      if (options.all === true) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };

const LONGEST_URL = 1_024;

/** A user's webhook URL, or `INVALID_ARGUMENT`. Names are resolved only when something is sent, and checked then. */
export function requireWebhookUrl(text: string, { anywhere }: { readonly anywhere: boolean }): URL {
  const url = text.length > LONGEST_URL ? null : URL.parse(text);
  const refusal = refuse('INVALID_ARGUMENT', {
    field: 'webhookUrl',
    expected: 'an https URL of a public host, without a user and a fragment',
  });
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') throw refusal;
  if (anywhere && url.protocol === 'http:') return url;
  if (url.protocol !== 'https:') throw refusal;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!anywhere && isIP(host) !== 0 && !isPublicAddress(host)) throw refusal;
  return url;
}
