import { describe, expect, it } from 'vitest';
import { faultsOf, parse, specOf } from './context.ts';

const DEFAULTS = {
  source: null,
  directory: '/etc/v',
  environment: {},
  environmentFile: null,
  user: null,
  group: null,
  umask: null,
  listen: [],
  passing: 'listen-fds',
  channel: false,
  instances: 1,
  reload: { kind: 'restart' },
  roll: false,
  canary: null,
  lingerMs: 2000,
  rollback: true,
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  startTimeoutMs: 60_000,
  ready: { kind: 'after', ms: 1000 },
  health: null,
  onDemand: false,
  idleTimeoutMs: null,
  after: [],
  limits: { memoryBytes: null, cpu: null, tasks: null, files: null },
  unit: null,
  restart: 'always',
  backoff: { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0.2, resetAfterMs: 60_000 },
  log: { to: 'file', maxBytes: 10 * 2 ** 20, keep: 10, format: 'raw' },
  hooks: [],
  scaling: null,
  uwsgiStats: null,
};

it.each([
  ['shop.ini', '[vassal]\ncommand = node server.js'],
  ['shop.toml', '[vassal]\ncommand = "node server.js"'],
  ['shop.yaml', 'vassal:\n  command: node server.js'],
  ['shop.yml', 'vassal: {command: [node, server.js]}'],
  ['shop.json', '{"vassal": {"command": ["node", "server.js"]}}'],
  ['shop.xml', '<vassal><command>node server.js</command></vassal>'],
  ['shop.toml', '\uFEFF[vassal]\r\ncommand = "node server.js"\r\n'],
])('%s with %j is a command with all defaults', (name, text) => {
  expect(specOf(`/etc/v/${name}`, text)).toEqual({ server: null, programs: [], argv: ['node', 'server.js'], ...DEFAULTS });
});

const ALL = {
  ...DEFAULTS,
  server: 'gunicorn',
  programs: [],
  argv: ['gunicorn', '--workers', '4', 'shop:app'],
  directory: '/srv/shop',
  environment: { PYTHONUNBUFFERED: '1', PORT: '8000' },
  environmentFile: '/etc/v/shop.env',
  user: 'www-data',
  group: 'shop',
  umask: 0o27,
  reload: { kind: 'signal', signal: 'SIGUSR2' },
  stopSignal: 'SIGQUIT',
  stopTimeoutMs: 5000,
  startTimeoutMs: 90_000,
  ready: { kind: 'after', ms: 2000 },
  restart: 'on-failure',
  backoff: { firstMs: 100, factor: 1.5, maxMs: 5000, jitter: 0, resetAfterMs: 10_000 },
  log: { to: 'file', maxBytes: 1024, keep: 0, format: 'json' },
  hooks: [],
  scaling: null,
  uwsgiStats: null,
};

it.each([
  ['shop.ini', `[vassal]
server = gunicorn
app = shop:app
workers = 4
directory = /srv/shop
environment.PORT = 8000
environment-file = shop.env
user = www-data
group = shop
umask = 027
reload = signal
reload-signal = USR2
stop-signal = QUIT
stop-timeout = 5s
start-timeout = 90s
ready.after = 2s
restart = on-failure
backoff.first = 100ms
backoff.factor = 1.5
backoff.max = 5s
backoff.jitter = 0
backoff.reset-after = 10s
log.max-size = 1K
log.keep = 0
log.format = json`],
  ['shop.toml', `[vassal]
server = "gunicorn"
app = "shop:app"
workers = 4
directory = "/srv/shop"
environment = { PORT = "8000" }
environment-file = "shop.env"
user = "www-data"
group = "shop"
umask = 0o027
reload = "signal"
reload-signal = "USR2"
stop-signal = "QUIT"
stop-timeout = "5s"
start-timeout = "90s"
ready = { after = "2s" }
restart = "on-failure"
backoff = { first = "100ms", factor = 1.5, max = "5s", jitter = 0, reset-after = "10s" }
log = { max-size = "1K", keep = 0, format = "json" }`],
  ['shop.yaml', `vassal:
  server: gunicorn
  app: shop:app
  workers: 4
  directory: /srv/shop
  environment: { PORT: 8000 }
  environment-file: shop.env
  user: www-data
  group: shop
  umask: 027
  reload: signal
  reload-signal: USR2
  stop-signal: QUIT
  stop-timeout: 5s
  start-timeout: 90s
  ready: { after: 2s }
  restart: on-failure
  backoff: { first: 100ms, factor: 1.5, max: 5s, jitter: 0, reset-after: 10s }
  log: { max-size: 1K, keep: 0, format: json }`],
  ['shop.xml', `<vassal server="gunicorn" app="shop:app" workers="4"><directory>/srv/shop</directory><environment PORT="8000"/>
<environment-file>shop.env</environment-file><user>www-data</user><group>shop</group><umask>027</umask>
<reload>signal</reload><reload-signal>USR2</reload-signal><stop-signal>QUIT</stop-signal><stop-timeout>5s</stop-timeout>
<start-timeout>90s</start-timeout><ready><after>2s</after></ready><restart>on-failure</restart>
<backoff><first>100ms</first><factor>1.5</factor><max>5s</max><jitter>0</jitter><reset-after>10s</reset-after></backoff>
<log max-size="1K" keep="0" format="json"/></vassal>`],
])('%s says everything about a server and its life', (name, text) => {
  expect(specOf(`/etc/v/${name}`, text)).toEqual(ALL);
});

const SOCKETS = {
  ...DEFAULTS,
  server: null,
  programs: [],
  argv: ['a'],
  listen: [
    { address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 4096, mode: null, user: null, group: null },
    { address: { kind: 'unix', path: '/etc/v/shop.sock' }, backlog: 64, mode: 0o600, user: 'www-data', group: '33' },
  ],
  passing: 'fds',
  instances: 3,
  reload: { kind: 'overlap' },
  roll: true,
  canary: { share: 0.1, forMs: 300_000 },
  lingerMs: 5000,
  rollback: false,
  ready: {
    kind: 'probe',
    probe: { kind: 'http', target: { kind: 'listen' }, path: '/up?x=1', status: [200, 299], body: '^ok$' },
    intervalMs: 200,
    timeoutMs: 1000,
  },
  health: { probe: { kind: 'command', argv: ['test', '-e', 'up'] }, intervalMs: 20_000, timeoutMs: 2000, failures: 2, graceMs: 30_000, watchdogMs: 15_000 },
  onDemand: true,
  idleTimeoutMs: 600_000,
  after: ['database', 'cache'],
};

it.each([
  ['shop.ini', `[vassal]
command = a
listen = 127.0.0.1:8000
listen.address = unix:shop.sock
listen.mode = 600
listen.user = www-data
listen.group = 33
listen.backlog = 64
pass = fds
instances = 3
roll = true
canary.share = 10%
canary.for = 5m
linger = 5s
rollback = false
ready.http = /up?x=1
ready.status = 200-299
ready.body = ^ok$
ready.interval = 200ms
ready.timeout = 1s
health.command = test -e up
health.interval = 20s
health.timeout = 2s
health.failures = 2
health.grace = 30s
health.watchdog = 15s
on-demand = true
idle-timeout = 10m
after = database
after = cache`],
  ['shop.toml', `[vassal]
command = "a"
listen = ["127.0.0.1:8000", { address = "unix:shop.sock", mode = "600", user = "www-data", group = 33, backlog = 64 }]
pass = "fds"
instances = 3
roll = true
canary = { share = 0.1, for = "5m" }
linger = "5s"
rollback = false
ready = { http = "/up?x=1", status = "200-299", body = "^ok$", interval = "200ms", timeout = "1s" }
health = { command = ["test", "-e", "up"], interval = "20s", timeout = "2s", failures = 2, grace = "30s", watchdog = "15s" }
on-demand = true
idle-timeout = "10m"
after = ["database", "cache", "database"]`],
  ['shop.toml', `[vassal]
command = "a"
pass = "fds"
instances = 3
reload = "overlap"
roll = true
linger = "5s"
rollback = false
on-demand = true
idle-timeout = "10m"
after = ["database", "cache"]
[[vassal.listen]]
address = "127.0.0.1:8000"
[[vassal.listen]]
address = "unix:shop.sock"
mode = 0o600
user = "www-data"
group = 33
backlog = 64
[vassal.canary]
share = "10%"
for = "5m"
[vassal.ready]
http = "/up?x=1"
status = "200-299"
body = "^ok$"
interval = "200ms"
timeout = "1s"
[vassal.health]
command = "test -e up"
interval = "20s"
timeout = "2s"
failures = 2
grace = "30s"
watchdog = "15s"`],
  ['shop.yaml', `vassal:
  command: a
  listen:
    - 127.0.0.1:8000
    - { address: "unix:shop.sock", mode: 0600, user: www-data, group: 33, backlog: 64 }
  pass: fds
  instances: 3
  roll: true
  canary: { share: 10%, for: 5m }
  linger: 5s
  rollback: false
  ready: { http: /up?x=1, status: 200-299, body: ^ok$, interval: 200ms, timeout: 1s }
  health: { command: test -e up, interval: 20s, timeout: 2s, failures: 2, grace: 30s, watchdog: 15s }
  on-demand: true
  idle-timeout: 10m
  after: [database, cache]`],
  ['shop.json', `{"vassal": {
  "command": "a",
  "listen": ["127.0.0.1:8000", {"address": "unix:shop.sock", "mode": "600", "user": "www-data", "group": 33, "backlog": 64}],
  "pass": "fds", "instances": 3, "roll": true, "canary": {"share": 0.1, "for": "5m"}, "linger": "5s", "rollback": false,
  "ready": {"http": "/up?x=1", "status": "200-299", "body": "^ok$", "interval": "200ms", "timeout": "1s"},
  "health": {"command": ["test", "-e", "up"], "interval": "20s", "timeout": "2s", "failures": 2, "grace": "30s", "watchdog": "15s"},
  "on-demand": true, "idle-timeout": "10m", "after": ["database", "cache"]}}`],
  ['shop.xml', `<vassal pass="fds" instances="3" roll="true" linger="5s" rollback="false" on-demand="true" idle-timeout="10m"><command>a</command>
<listen>127.0.0.1:8000</listen><listen address="unix:shop.sock" mode="600" user="www-data" group="33" backlog="64"/>
<canary><share>10%</share><for>5m</for></canary>
<ready http="/up?x=1" status="200-299" body="^ok$" interval="200ms" timeout="1s"/>
<health interval="20s" timeout="2s" failures="2" grace="30s" watchdog="15s"><command>test -e up</command></health>
<after>database</after><after>cache</after></vassal>`],
])('%s says everything about sockets and how instances are judged', (name, text) => {
  expect(specOf(`/etc/v/${name}`, text)).toEqual(SOCKETS);
});

it('tells all faults of a file at once, in the order of its lines', () => {
  const outcome = parse('/v/shop.toml', '[vassal]\ncommand = "a | b"\nlisten = "x"\nstop-timeout = 30\nusr = "x"\nserver = "node"\nbackoff = { frist = "1s", jitter = 2 }\n');
  expect(outcome.ok ? [] : outcome.faults.map(({ code, line, key }) => [code, line, key])).toEqual([
    ['E_VALUE', 2, 'command'],
    ['E_KEY_CONFLICT', 2, 'command'],
    ['E_VALUE', 3, 'listen'],
    ['E_VALUE', 4, 'stop-timeout'],
    ['E_KEY_UNKNOWN', 5, 'usr'],
    ['E_KEY_UNKNOWN', 7, 'backoff.frist'],
    ['E_VALUE', 7, 'backoff.jitter'],
  ]);
});

it('does not say that a program is missing when its key is only wrong', () => {
  expect(faultsOf('/v/shop.toml', '[vassal]\ncommand = 5')).toHaveLength(1);
  expect(faultsOf('/v/shop.toml', '[vassal]\nserver = "node"\napp = 5')).toHaveLength(1);
  expect(faultsOf('/v/shop.toml', '[vassal]\ncommand = "a"\nreload = "sginal"\nreload-signal = "HUP"')).toHaveLength(1);
});

describe('limits', () => {
  const limits = (text: string): unknown => specOf('/v/shop.toml', `[vassal]\ncommand = "a"\n${text}`).limits;

  it.each([
    ['', { memoryBytes: null, cpu: null, tasks: null, files: null }],
    ['limits = { memory = "64M", cpu = "50%", tasks = 20, files = 4096 }', { memoryBytes: 64 * 2 ** 20, cpu: 0.5, tasks: 20, files: 4096 }],
    ['limits.cpu = "200%"', { memoryBytes: null, cpu: 2, tasks: null, files: null }],
    ['limits.cpu = "1%"', { memoryBytes: null, cpu: 0.01, tasks: null, files: null }],
  ])('are understood: %s', (text, expected) => {
    expect(limits(text)).toEqual(expected);
  });

  it.each([
    ['cpu = 2', '"limits.cpu" wants a share of one core, not "2" at /v/shop.toml:4; write "2%"'],
    ['cpu = "0.5%"', '"limits.cpu" wants a share of one core, not "0.5%" at /v/shop.toml:4; write "50%", or "200%" for two cores'],
    ['memory = "64MB"', '"limits.memory" wants a size, not "64MB" at /v/shop.toml:4; write "64M"'],
    ['tasks = 0', '"limits.tasks" wants a whole number from 1 to 4194304, not "0" at /v/shop.toml:4'],
    ['files = 3', '"limits.files" wants a whole number from 8 to 1048576, not "3" at /v/shop.toml:4'],
    ['meory = "64M"', 'unknown key "limits.meory" at /v/shop.toml:4; did you mean "memory"?'],
  ])('are refused: %s', (text, fault) => {
    expect(faultsOf('/v/shop.toml', `[vassal]\ncommand = "a"\n[vassal.limits]\n${text}`)).toEqual([expect.stringContaining(fault)]);
  });
});

it.each([
  ['shop.ini', '[uwsgi]\nhttp-socket = 127.0.0.1:8000\nmodule = shop:app\n', '--ini'],
  ['shop.yaml', 'uwsgi:\n  http-socket: 127.0.0.1:8000\n  env: A=1\n  env: B=2\n', '--yaml'],
  ['shop.yml', 'uwsgi:\n  chdir: %d\n', '--yaml'],
  ['shop.json', '{"uwsgi": {"http-socket": "127.0.0.1:8000", "env": "A=1", "env": "B=2"}, "other": {}}', '--json'],
  ['shop.xml', '<uwsgi><socket>127.0.0.1:8000</socket><master/></uwsgi>', '--xml'],
  ['shop.ini', 'stray = 1\n[uwsgi]\nif-env = X\n%(odd\n[other]\ncommand = x\n', '--ini'],
])('%s with %j goes to uWSGI as it is', (name, text, option) => {
  expect(specOf(`/etc/v/${name}`, text)).toEqual({
    ...DEFAULTS,
    server: 'uwsgi',
    source: { file: `/etc/v/${name}`, text },
    programs: [],
    passing: 'fds',
    channel: true,
    argv: ['uwsgi', ...(text.includes('module') ? ['--need-app'] : []), '--safe-fd', '4', option, `/etc/v/${name}`, '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
    reload: { kind: 'channel' },
    ready: { kind: 'channel' },
    stopSignal: null,
  });
});

it('adds what the vassal section says to a uWSGI file', () => {
  const spec = specOf('/etc/v/shop.ini', '[uwsgi]\nmaster = 1\n[vassal]\nuser = shop\nreload = restart\nstop-timeout = 1m\n');
  expect(spec).toMatchObject({ server: 'uwsgi', user: 'shop', reload: { kind: 'restart' }, stopTimeoutMs: 60_000 });
});

it('lets a uWSGI file choose the signal that stops it', () => {
  expect(specOf('/etc/v/shop.ini', '[uwsgi]\n[vassal]\nstop-signal = INT')).toMatchObject({ channel: true, stopSignal: 'SIGINT' });
});

it.each([
  ['', { kind: 'channel' }, { kind: 'channel' }],
  ['listen = "127.0.0.1:8000"', { kind: 'overlap' }, { kind: 'channel' }],
  ['reload = "restart"\nready = { after = "2s" }', { kind: 'restart' }, { kind: 'after', ms: 2000 }],
])('a command with a channel, and %j, is reloaded by %j and ready by %j', (lines, reload, ready) => {
  expect(specOf('/etc/v/sub.toml', `[vassal]\ncommand = ["emperor", "run"]\nchannel = true\n${lines}`)).toMatchObject({ server: null, argv: ['emperor', 'run'], passing: 'listen-fds', channel: true, stopSignal: null, reload, ready });
});

it.each([
  ['sub.ini', '[uwsgi]\nemperor = /etc/sub\n'],
  ['sub.yaml', 'uwsgi:\n  emperor: /etc/sub\n'],
  ['sub.json', '{"uwsgi": {"emperor": "/etc/sub"}}'],
  ['sub.xml', '<uwsgi><emperor>/etc/sub</emperor></uwsgi>'],
])('a sub-Emperor of uWSGI, %s, is started anew instead of being told to reload', (name, text) => {
  expect(specOf(`/etc/v/${name}`, text)).toMatchObject({ channel: true, reload: { kind: 'restart' }, ready: { kind: 'channel' } });
});

it.each([
  ['a.toml', '[vassal]\nserver = "gunicorn"\napp = "a"\nchannel = true', '"channel" is for a command'],
  ['a.ini', '[uwsgi]\nmaster = 1\n[vassal]\nchannel = true', '"channel" is not for a file with a uwsgi section'],
])('%s: a channel of its own is a fault', (name, text, message) => {
  expect(faultsOf(`/etc/v/${name}`, text)).toEqual([expect.stringContaining(message)]);
});

it('lets a uWSGI file choose the signal of its reload', () => {
  expect(specOf('/etc/v/shop.ini', '[uwsgi]\n[vassal]\nreload-signal = USR1').reload).toEqual({ kind: 'signal', signal: 'SIGUSR1' });
});

it('refuses a uWSGI file whose path uWSGI would split', () => {
  expect(faultsOf('/etc/v/a:b.ini', '[uwsgi]\nmaster = 1')).toEqual(['E_NAME uWSGI takes what follows a ":" in a path for the name of a section at /etc/v/a:b.ini; rename the file']);
});

it('reloads with HUP where only "signal" is said', () => {
  expect(specOf('/v/a.ini', '[vassal]\ncommand = a\nreload = signal').reload).toEqual({ kind: 'signal', signal: 'SIGHUP' });
});

it('gives a slow start the time that its readiness takes', () => {
  expect(specOf('/v/a.ini', '[vassal]\ncommand = a\nready.after = 90s')).toMatchObject({ ready: { ms: 90_000 }, startTimeoutMs: 90_000 });
});

it('tells a file with an extension of its own', () => {
  expect(faultsOf('/v/shop.conf', '[vassal]\ncommand = a')).toEqual(['E_NAME the file has no extension of a vassal file at /v/shop.conf']);
});
