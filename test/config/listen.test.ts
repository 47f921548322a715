import { expect, it } from 'vitest';
import { printAddress } from '../../src/core/address.ts';
import { GUNICORN } from '../../src/presets/gunicorn.ts';
import type { Preset } from '../../src/presets/preset.ts';
import { faultsOf, specOf } from './context.ts';

const toml = (...lines: string[]) => `[vassal]\ncommand = "a"\n${lines.join('\n')}`;
const quoted = (text: string) => JSON.stringify(text);

it.each([
  ['127.0.0.1:8000', '127.0.0.1:8000'],
  ['0.0.0.0:1', '0.0.0.0:1'],
  ['255.250.199.9:65535', '255.250.199.9:65535'],
  ['[::1]:80', '[::1]:80'],
  ['[0:0::0001]:80', '[::1]:80'],
  ['[2001:DB8::A]:80', '[2001:db8::a]:80'],
  ['[::]:80', '[::]:80'],
  ['*:80', '[::]:80'],
  [':80', '[::]:80'],
  ['unix:/run/shop.sock', 'unix:/run/shop.sock'],
  ['unix:///run/shop.sock', 'unix:/run/shop.sock'],
  ['unix:../run/%n.sock', 'unix:/etc/run/shop.sock'],
  [`unix:/${'é'.repeat(47)}`, `unix:/${'é'.repeat(47)}`],
])('listens on %s as %s', (text, printed) => {
  const { listen } = specOf('/etc/v/shop.toml', toml(`listen = ${quoted(text)}`));
  expect(listen.map(({ address }) => printAddress(address))).toEqual([printed]);
});

it('takes IPv4 and IPv6 on an address of everywhere, until told otherwise', () => {
  const { listen } = specOf('/v/a.toml', toml('listen = [":80", { address = ":81", v6only = true }, { address = "[::1]:82", v6only = false }, "0.0.0.0:83"]'));
  expect(listen.map(({ address }) => address.kind === 'tcp' && address.v6only)).toEqual([false, true, false, false]);
});

it.each([
  ['localhost:8000', 'write "127.0.0.1:8000"'],
  ['LOCALHOST', 'write "127.0.0.1:8000"'],
  ['shop.example:80', 'a name may mean several addresses: write the one that you mean'],
  ['8000', 'write "127.0.0.1:8000", or ":8000" for every network'],
  ['127.0.0.1', 'write "127.0.0.1:8000"'],
  ['http://127.0.0.1:9000/', 'write "127.0.0.1:9000"'],
  ['tcp://127.0.0.1:9000', 'write "127.0.0.1:9000"'],
  ['127.0.0.1:0', 'a port is a number from 1 to 65535'],
  ['127.0.0.1:65536', 'a port is a number from 1 to 65535'],
  ['::1:8000', 'put an IPv6 address in brackets, and a port behind it: "[::1]:8000"'],
  ['/run/shop.sock', 'write "unix:/run/shop.sock"'],
  ['./shop.sock', 'write "unix:./shop.sock"'],
  ['unix:@shop', 'abstract sockets belong to nobody: name a path'],
  ['unix:', 'name a file; its whole path may have 95 bytes'],
  ['unix:/run/', 'name a file; its whole path may have 95 bytes'],
  ['unix:/run/..', 'name a file; its whole path may have 95 bytes'],
  [`unix:/${'é'.repeat(48)}`, 'name a file; its whole path may have 95 bytes'],
])('does not listen on %s: %s', (text, hint) => {
  const [fault, another] = faultsOf('/v/a.toml', toml(`listen = ${quoted(text)}`));
  expect(fault).toBe(`E_VALUE "listen" wants an address, not ${quoted(text.length > 60 ? `${text.slice(0, 60)}…` : text)} at /v/a.toml:3; ${hint}`);
  expect(another).toBeUndefined();
});

it.each([
  '"256.0.0.1:80"', '"127.0.1:80"', '"127.0.0.01:80"', '"[::1]"', '"[::g]:80"', '"[127.0.0.1]:80"', '"[fe80::1%%eth0]:80"', '"::"', '""', '" :80"', '":+80"', '":8e3"', '"[::1]80"', '"[]:80"', '8000', 'true', '[[":80"]]', '["127.0.0.1:80", ""]',
])('an address is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml(`listen = ${text}`))).toMatchObject([/^E_VALUE "listen" wants an address/]);
});

it('more addresses than the emperor has descriptors for are refused before anything else is done with them', () => {
  const addresses = Array.from({ length: 1_001 }, (_, at) => `127.0.0.1:${at + 1_024}`);
  expect(faultsOf('/v/a.toml', toml(`listen = ${JSON.stringify(addresses)}`))).toMatchObject([/^E_VALUE "listen" has more than 1000 addresses/]);
});

it.each(['listen = [":80", "[::]:80"]', 'listen = ["[::1]:80", { address = "[0::1]:80", v6only = true }]', 'listen = ["unix:a", "unix:./b/../a"]'])('%s names one address twice', (line) => {
  expect(faultsOf('/v/a.toml', toml(line))).toMatchObject([/^E_VALUE "listen" has .* twice/]);
});

it.each([
  ['address = ":80", mode = "660"', 'listen.mode'],
  ['address = ":80", user = "www-data"', 'listen.user'],
  ['address = ":80", group = "www-data"', 'listen.group'],
  ['address = "unix:a", v6only = true', 'listen.v6only'],
  ['address = "0.0.0.0:80", v6only = false', 'listen.v6only'],
])('{ %s } has one key too many: %s', (table, key) => {
  expect(faultsOf('/v/a.toml', toml(`listen = { ${table} }`))).toMatchObject([new RegExp(`^E_KEY_CONFLICT "${key}" means nothing for `)]);
});

it('blames the line of the table that is at fault, and tells each fault of it', () => {
  const faults = faultsOf('/v/a.toml', toml('[[vassal.listen]]', 'address = ":80"', '[[vassal.listen]]', 'adress = ":81"', 'mode = 660', 'backlog = 0'));
  expect(faults).toEqual([
    'E_KEY_MISSING "listen" has a table without "address" at /v/a.toml:5; for example address = "unix:/run/shop.sock"',
    'E_KEY_UNKNOWN unknown key "listen.adress" at /v/a.toml:6; did you mean "address"?',
    'E_VALUE "listen.mode" wants octal permissions, not "660" at /v/a.toml:7; write "660"',
    'E_VALUE "listen.backlog" wants a whole number from 1 to 65535, not "0" at /v/a.toml:8; for example 1',
  ]);
});

it('takes an empty list for no address', () => {
  expect(specOf('/v/a.toml', toml('listen = []'))).toMatchObject({ listen: [], reload: { kind: 'restart' } });
});

/** Knows of no socket but its own. */
const DEAF: Preset = { ...GUNICORN, name: 'deaf', passing: null, argv: ({ listen }) => ['deaf', String(listen.length)], environment: () => ({}) };
const TOLD: Preset = { ...DEAF, name: 'told', passing: 'port' };
const LENT: Preset = { ...DEAF, name: 'lent', passing: 'fds', argv: ({ listen }) => ['lent', ...listen.map(printAddress)], environment: ({ listen }) => ({ SOCKETS: String(listen.length), MODE: 'preset' }) };
const served = (server: string, ...lines: string[]) => `[vassal]\nserver = "${server}"\napp = "a"\n${lines.join('\n')}`;

it('refuses "listen" for a server that cannot take sockets', () => {
  expect(faultsOf('/v/a.toml', served('deaf', 'listen = ":80"', 'canary = {}', 'roll = true', 'on-demand = true', 'ready = { http = "/" }'), [DEAF])).toEqual([
    'E_KEY_CONFLICT server "deaf" cannot take sockets from the emperor at /v/a.toml:4; give it the address in its own configuration',
  ]);
  expect(specOf('/v/a.toml', served('deaf'), [DEAF])).toMatchObject({ argv: ['deaf', '0'], listen: [] });
});

it('tells a server of the sockets that are passed to it, and lets the file have the last word on its variables', () => {
  const text = served('lent', 'listen = ["127.0.0.1:80", "unix:s"]', 'environment = { MODE = "file" }');
  expect(specOf('/v/a.toml', text, [LENT])).toMatchObject({ argv: ['lent', '127.0.0.1:80', 'unix:/v/s'], passing: 'fds', environment: { SOCKETS: '2', MODE: 'file' } });
});

it('passes nothing to a server that opens its port itself', () => {
  expect(specOf('/v/a.toml', served('told', 'listen = "127.0.0.1:80"'), [TOLD])).toMatchObject({ argv: ['deaf', '0'], passing: 'port', reload: { kind: 'restart' } });
  expect(specOf('/v/a.toml', served('lent', 'listen = "127.0.0.1:80"', 'pass = "port"'), [LENT])).toMatchObject({ argv: ['lent'], passing: 'port', environment: { SOCKETS: '0' } });
});

it.each([
  [['pass = "port"', 'listen = "unix:s"'], 'E_KEY_CONFLICT "unix:/v/s" has no port to be told by pass = "port" at /v/a.toml:4; write one address like "127.0.0.1:8000"'],
  [['pass = "port"', 'listen = [":80", ":81"]'], 'E_KEY_CONFLICT pass = "port" tells of one address only at /v/a.toml:4; keep "[::]:80"'],
  [['pass = "port"', 'listen = ":80"', 'reload = "overlap"'], 'E_KEY_CONFLICT with pass = "port" the next instance cannot open the address while the old one has it at /v/a.toml:5; write reload = "restart"'],
  [['pass = "port"', 'listen = ":80"', 'on-demand = true'], 'E_KEY_CONFLICT "on-demand" needs sockets that the emperor holds, not pass = "port" at /v/a.toml:5; remove one of the two'],
  [['pass = "prot"', 'listen = ":80"', 'reload = "overlap"', 'on-demand = true', 'canary = {}'], 'E_VALUE "pass" wants one of listen-fds, fds, port, not "prot" at /v/a.toml:3; did you mean "port"?'],
  [['listen = ":0"', 'pass = "fds"', 'on-demand = true', 'roll = true', 'canary = {}', 'ready.tcp = true', 'health.http = "/"'], 'E_VALUE "listen" wants an address, not ":0" at /v/a.toml:3; a port is a number from 1 to 65535'],
  [['listen = ":80"', 'on-demand = 1', 'idle-timeout = "1m"'], 'E_VALUE "on-demand" wants true or false, not "1" at /v/a.toml:4; write true'],
  [['after = "a"'], 'E_KEY_CONFLICT "after" names the vassal "a" itself at /v/a.toml:3; remove it'],
])('%j has one fault', (lines, fault) => {
  expect(faultsOf('/v/a.toml', toml(...lines))).toEqual([fault]);
});
