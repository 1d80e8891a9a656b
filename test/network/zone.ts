// The zone of the simulated internet's name server for the allowlist tests.
import type { DnsRecord, DnsZone } from './internet-protocol.ts';

const address = (name: string, data: string, ttl = 1): DnsRecord => ({
  name,
  type: 'A',
  ttl,
  data,
});

export const exampleZone: Readonly<Record<string, DnsZone>> = {
  'www.example.org': {
    answers: [
      { name: 'www.example.org', type: 'CNAME', ttl: 30, data: 'edge.cdn.test' },
      address('edge.cdn.test', '104.16.1.1'),
    ],
  },
  'other.example.net': { answers: [address('other.example.net', '104.16.1.2')] },
  'evil.test': { answers: [address('evil.test', '93.184.215.14')] },
  '*.tunnel.test': { answers: [address('', '93.184.215.14')] },
  'rotating.example.org': {
    rotate: true,
    answers: ['104.16.1.1', '104.16.1.2', '104.16.1.3'].map((data) =>
      address('rotating.example.org', data),
    ),
  },
  'rebind.example.org': { answers: [address('rebind.example.org', '10.99.9.9')] },
  'cloud.example.org': { answers: [address('cloud.example.org', '169.254.169.254')] },
  'alias.example.org': {
    answers: [
      { name: 'alias.example.org', type: 'CNAME', ttl: 30, data: 'inside.lan.test' },
      address('inside.lan.test', '10.99.9.9'),
    ],
  },
  // Its server leaves the address to the next query.
  'far-alias.example.org': {
    answers: [{ name: 'far-alias.example.org', type: 'CNAME', ttl: 30, data: 'far.lan.test' }],
  },
  'far.lan.test': { answers: [address('far.lan.test', '10.99.9.9')] },
  'large.example.org': {
    truncate: true,
    answers: [address('large.example.org', '104.16.1.3')],
  },
};
