import { describe, expect, it } from 'vitest';
import { printAddress } from '../../src/core/address.ts';
import { faultsOf, specOf } from './context.ts';

const ini = (...lines: readonly string[]): string => ['[uwsgi]', ...lines, '[vassal]', 'adopt-sockets = true', ''].join('\n');

describe('adopt-sockets', () => {
  it.each([
    ['ini', '/v/shop.ini', ini('http-socket = 127.0.0.1:8000', '; socket = no', 'uwsgi-socket=/run/%n.sock\r', 'name = x'), ini('http-socket = fd://3', '; socket = no', 'uwsgi-socket=fd://4\r', 'name = x')],
    ['yaml', '/v/shop.yaml', 'uwsgi:\n  http-socket: 127.0.0.1:8000 # the site\n  socket:\n    - "/run/%n.sock"\nvassal: { adopt-sockets: true }\n', 'uwsgi:\n  http-socket: fd://3 # the site\n  socket:\n    - "fd://4"\nvassal: { adopt-sockets: true }\n'],
    ['json', '/v/shop.json', '{"uwsgi": {"http-socket": "127.0.0.1:8000", "uwsgi-socket": ["/run/%n.sock"]}, "vassal": {"adopt-sockets": true}}', '{"uwsgi": {"http-socket": "fd://3", "uwsgi-socket": ["fd://4"]}, "vassal": {"adopt-sockets": true}}'],
    ['xml', '/v/shop.xml', '<v><uwsgi>\n<http-socket>127.0.0.1:8000</http-socket>\n<socket> /run/%n.sock </socket>\n</uwsgi><vassal><adopt-sockets>true</adopt-sockets></vassal></v>', '<v><uwsgi>\n<http-socket>fd://3</http-socket>\n<socket> fd://4 </socket>\n</uwsgi><vassal><adopt-sockets>true</adopt-sockets></vassal></v>'],
  ])('opens the sockets of a file in %s, which has descriptors in their places', (_format, file, text, read) => {
    const spec = specOf(file, text);
    expect(spec.listen.map(({ address }) => printAddress(address))).toEqual(['127.0.0.1:8000', 'unix:/run/shop.sock']);
    expect(spec.source).toEqual({ file, text: read });
    expect(spec).toMatchObject({ reload: { kind: 'overlap' }, passing: 'fds', channel: true });
    expect(spec.argv.join(' ')).not.toContain('--socket');
  });

  it.each<[string, readonly string[], string]>([
    ['a port alone, of IPv4', ['socket = :3031'], '0.0.0.0:3031'],
    ['IPv6', ['http-socket = [::1]:3031'], '[::1]:3031'],
    ['a placeholder, and something to reckon', ['base = 3000', 'socket = 127.0.0.1:%(base + 31)'], '127.0.0.1:3031'],
    ['a path from where it works', ['chdir = /srv/%n', 'socket = run.sock'], 'unix:/srv/shop/run.sock'],
    ['a path from where it starts', ['socket = run.sock'], 'unix:/v/run.sock'],
    ['an address with certificates behind it', ['https-socket = 127.0.0.1:3031,a.crt,a.key'], '127.0.0.1:3031'],
    ['one behind a block', ['if-exists = /x', 'env = A=1', 'endif =', 'socket = 127.0.0.1:3031'], '127.0.0.1:3031'],
  ])('understands %s', (_what, lines, address) => {
    const spec = specOf('/v/shop.ini', ini(...lines));
    expect(spec.listen.map((each) => printAddress(each.address))).toEqual([address]);
    expect(spec.source?.text).toMatch(/socket = fd:\/\/3(?:,a\.crt,a\.key)?$/m);
  });

  it.each<[readonly string[], object]>([
    [[], { mode: 0o755, user: null, group: null, backlog: 4096 }],
    [['umask = 000'], { mode: 0o777 }],
    [['chmod-socket = 664', 'chown-socket = http:www-data', 'listen = 200'], { mode: 0o664, user: 'http', group: 'www-data', backlog: 200 }],
    [['chmod-socket'], { mode: 0o666 }],
    [['uid = www-data', 'gid = web'], { user: 'www-data', group: 'web' }],
  ])('with %j opens a unix socket as uWSGI does', (lines, listen) => {
    expect(specOf('/v/shop.ini', ini('socket = /run/shop.sock', ...lines)).listen).toMatchObject([listen]);
  });

  it.each<[string, readonly string[], string]>([
    ['a shared socket', ['socket = :80', 'shared-socket = :443'], 'E_KEY_CONFLICT "shared-socket" does not go with adopt-sockets: a shared socket is opened by uWSGI before it reads any other at /v/shop.ini:3; name the address in "socket" or "http-socket"'],
    ['a router', ['http = :80'], 'E_KEY_CONFLICT "http" does not go with adopt-sockets: uWSGI opens that address in a process of its own, and of two at a time only one can at /v/shop.ini:2'],
    ['statistics on a port', ['socket = :80', 'stats = :9191'], 'E_KEY_CONFLICT "stats" does not go with adopt-sockets: uWSGI opens that address in a process of its own'],
    ['an interface by a pattern', ['socket = 192.168.*:80'], 'E_KEY_CONFLICT "socket": which address "192.168.*" is, is known to nobody but uWSGI at /v/shop.ini:2; write the address'],
    ['a name', ['socket = localhost:80'], 'E_KEY_CONFLICT "socket": which address "localhost" is, is known to nobody but uWSGI'],
    ['any port', ['socket = 127.0.0.1:0'], 'E_KEY_CONFLICT "socket": with port 0 the address is known to nobody but uWSGI'],
    ['an abstract socket', ['socket = @shop'], 'E_KEY_CONFLICT "socket": abstract sockets belong to nobody'],
    ['a descriptor', ['socket = fd://0'], 'E_KEY_CONFLICT "socket": "fd://0" is a descriptor'],
    ['a socket of an address that is no port', ['socket = 127.0.0.1:http'], 'E_KEY_CONFLICT "socket": "127.0.0.1:http" has no port'],
    ['the environment', ['socket = $(HOST):80'], 'E_KEY_CONFLICT what "socket" means is known to nobody but uWSGI: it is made of its environment, or of another file'],
    ['a placeholder that nobody knows', ['socket = /run/%(app).sock'], 'E_PLACEHOLDER %(app) is no key of this section at /v/shop.ini:2'],
    ['a socket in a block', ['if-env = X', 'socket = :80', 'endif ='], 'E_KEY_CONFLICT whether "socket" counts is known to nobody but uWSGI: it stands in a block at /v/shop.ini:3'],
    ['an address twice', ['socket = :80', 'http-socket = :80'], 'E_KEY_CONFLICT the address of "http-socket" comes twice at /v/shop.ini:3'],
    ['who refers to a socket', ['socket = :80', 'http-to = %(socket)'], 'E_KEY_CONFLICT "http-to" refers to %(socket), which will be a descriptor at /v/shop.ini:3'],
    ['a mode that is none', ['socket = /run/s', 'chmod-socket = rw'], 'E_KEY_CONFLICT "chmod-socket" wants three octal digits at /v/shop.ini:3'],
    ['an owner that is none', ['socket = /run/s', 'chown-socket = :www'], 'E_KEY_CONFLICT "chown-socket" wants a name or number at /v/shop.ini:3'],
    ['a queue without a length', ['socket = :80', 'listen = long'], 'E_KEY_CONFLICT "listen" wants a number at /v/shop.ini:3'],
    ['no socket', ['module = app'], 'E_KEY_CONFLICT there is no socket to take over at /v/shop.ini:4; name one in the uwsgi section'],
  ])('refuses %s, with line and hint', (_what, lines, fault) => {
    const [first, ...more] = faultsOf('/v/shop.ini', ini(...lines));
    expect([first?.slice(0, fault.length), more]).toEqual([fault, []]);
    expect(first).toMatch(/shop\.ini:\d+; ./);
  });

  it.each([
    ['a file without uWSGI', '/v/a.ini', '[vassal]\ncommand = sleep 1\nadopt-sockets = true\n', '"adopt-sockets" is for a file with a uwsgi section'],
    ['`listen` beside it', '/v/a.ini', ini('socket = :80') + 'listen = :80\n', '"listen" and "adopt-sockets" exclude each other'],
    ['`pass` beside it', '/v/a.ini', ini('socket = :80') + 'pass = port\n', '"pass" does not go with "adopt-sockets"'],
    ['a signal', '/v/a.ini', ini('socket = :80') + 'reload-signal = HUP\n', 'with "adopt-sockets" uWSGI would read its old text again at a signal'],
    ['one line with two equal words', '/v/a.json', '{"uwsgi": {"socket": ["/run/a"], "x": ["/run/a"]}, "vassal": {"adopt-sockets": true}}', 'the value of "socket" cannot be told from what is beside it'],
    ['a block in yaml, where the order of lines is none', '/v/a.yaml', 'uwsgi:\n  if-env: X\n  endif:\n  socket: :80\nvassal: { adopt-sockets: true }\n', 'whether "socket" counts is known to nobody but uWSGI'],
    ['what only uWSGI can read', '/v/a.yaml', 'vassal: { adopt-sockets: true }\nuwsgi:\n  socket: /a\n  socket: /b\n', 'key "socket" is given twice'],
  ])('refuses %s', (_what, file, text, message) => {
    const faults = faultsOf(file, text);
    expect(faults.join('\n')).toContain(message);
  });
});
