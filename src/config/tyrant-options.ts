/** Options of uWSGI by which a file is written, or a socket is put in its place. */
export const WRITING_OPTIONS: ReadonlySet<string> = new Set([
  'logto', 'logto2', 'daemonize', 'daemonize2', 'logger', 'req-logger', 'pidfile', 'pidfile2', 'safe-pidfile', 'safe-pidfile2', 'touch-logreopen', 'touch-logrotate',
  'socket', 'uwsgi-socket', 'http-socket', 'fastcgi-socket', 'scgi-socket', 's', 'stats', 'stats-server', 'stats-http-server', 'spooler', 'master-fifo',
]);

/**
 * Options of uWSGI that an owner may use in tyrant mode: what an application needs. They act as the owner; left out is what acts before or beside that (uid, gid, exec-as-…,
 * hook-…, mount), reads further files of options unseen (include, inherit, ini …, for the allow-list would end there), or lifts limits (limit-…, cgroup, unshare, cap).
 * Source: uWSGI core/uwsgi.c, uwsgi_base_options, and the plugins of Python, PSGI, Rack, PHP.
 */
export const TYRANT_OPTIONS: readonly string[] = [
  ...WRITING_OPTIONS,
  'attach-daemon', 'smart-attach-daemon', 'auto-procname', 'procname', 'procname-prefix', 'procname-prefix-spaced', 'procname-append', 'procname-master', 'binary-path',
  'buffer-size', 'post-buffering', 'post-buffering-bufsize', 'body-read-warning', 'upload-progress', 'chdir', 'chdir2', 'chmod-socket', 'close-on-exec', 'catch-exceptions', 'reload-on-exception',
  'cheap', 'cheaper', 'cheaper-algo', 'cheaper-initial', 'cheaper-step', 'cheaper-overload', 'cheaper-idle', 'idle', 'die-on-idle', 'die-on-term', 'exit-on-reload', 'workers', 'processes', 'p',
  'threads', 'threads-stacksize', 'enable-threads', 'thunder-lock', 'single-interpreter', 'master', 'M', 'no-orphans', 'lazy', 'lazy-apps', 'need-app', 'need-plugin', 'strict', 'vacuum',
  'max-requests', 'max-requests-delta', 'min-worker-lifetime', 'max-worker-lifetime', 'max-worker-lifetime-delta', 'worker-reload-mercy', 'reload-mercy', 'mule-reload-mercy', 'harakiri', 'harakiri-verbose',
  'reload-on-as', 'reload-on-rss', 'evil-reload-on-as', 'evil-reload-on-rss', 'memory-report', 'ksm', 'env', 'for-env', 'unenv', 'set', 'set-placeholder', 'set-ph', 'plugin', 'plugins', 'plugins-dir', 'plugin-dir',
  'protocol', 'socket-protocol', 'so-keepalive', 'socket-timeout', 'http-timeout', 'so-send-timeout', 'tcp-nodelay', 'listen', 'reuse-port', 'shared-socket', 'manage-script-name', 'mount', 'route', 'route-host', 'route-uri', 'route-label',
  'static-map', 'static-map2', 'check-static', 'check-static-docroot', 'static-index', 'static-skip-ext', 'static-expires', 'static-expires-uri', 'static-gzip', 'static-gzip-all', 'static-gzip-dir', 'static-gzip-ext',
  'offload-threads', 'offload-thread', 'add-header', 'del-header', 'collect-header', 'response-header-limit', 'ignore-sigpipe', 'ignore-write-errors', 'disable-write-exception', 'write-errors-tolerance',
  'log-format', 'logformat', 'log-date', 'logdate', 'log-4xx', 'log-5xx', 'log-slow', 'log-big', 'log-zero', 'log-sendfile', 'log-micros', 'log-x-forwarded-for', 'log-master', 'logfile-chmod', 'log-maxsize', 'log-backupname',
  'log-encoder', 'log-req-encoder', 'log-reopen', 'disable-logging', 'L', 'touch-reload', 'touch-workers-reload', 'touch-chain-reload', 'touch-mules-reload', 'touch-spoolers-reload', 'fs-reload', 'py-autoreload', 'py-auto-reload',
  'signal', 'mule', 'mules', 'farm', 'cron', 'unique-cron', 'timer', 'rbtimer', 'spooler-processes', 'spooler-frequency', 'spooler-max-tasks', 'spooler-quiet', 'cache2', 'cache', 'queue', 'sharedarea', 'locks', 'lock-engine',
  'stats-http', 'stats-minified', 'metrics', 'enable-metrics', 'heartbeat', 'umask', 'virtualenv', 'venv', 'home', 'H', 'pyhome', 'pythonpath', 'python-path', 'pp', 'module', 'w', 'wsgi', 'wsgi-file', 'file', 'callable', 'pyargv', 'wsgi-lite',
  'wsgi-env-behaviour', 'wsgi-env-behavior', 'py-call-osafterfork', 'py-tracebacker', 'python-import', 'pyimport', 'import', 'shared-import', 'py-sharedimport', 'optimize', 'no-site', 'paste', 'paste-logger', 'ini-paste', 'ini-paste-logged', 'eval', 'pyrun', 'gevent', 'gevent-monkey-patch', 'asyncio', 'async', 'ugreen', 'greenlet',
  'psgi', 'psgi-enable-psgix-io', 'perl-no-plack', 'rack', 'rackup', 'rails', 'rbrequire', 'gem', 'gemset', 'rvm-path', 'php-docroot', 'php-allowed-ext', 'php-index', 'php-app', 'php-set', 'php-var', 'php-allowed-docroot', 'php-ini',
  'http', 'http-to', 'http-modifier1', 'http-keepalive', 'http-auto-chunked', 'subscribe-to', 'subscribe2', 'subscribe-freq', 'unsubscribe-on-graceful-reload', 'processes-max', 'display-name', 'show-config', 'no-default-app', 'for', 'for-glob', 'for-times', 'for-readline', 'endfor', 'end-for',
  'if-env', 'if-not-env', 'if-opt', 'if-not-opt', 'if-exists', 'if-not-exists', 'if-file', 'if-not-file', 'if-dir', 'if-not-dir', 'if-reload', 'if-not-reload', 'if-hostname', 'if-not-hostname', 'if-plugin', 'if-not-plugin', 'endif', 'end-if', 'print',
];
