import { describe, expect, it } from 'vitest';
import { placeless, rehearsalText } from '../../src/presets/uwsgi-text.ts';

describe('the text with which a revision is tried', () => {
  it.each([
    ['ini', '[uwsgi]\nhttp-socket = :80\n  socket=/run/a\nmodule = shop:app\npidfile2 = x\nlazy-apps\nstrict = true', '[uwsgi]\nnot-now-http-socket = :80\n  not-now-socket=/run/a\nmodule = shop:app\nnot-now-pidfile2 = x\nnot-now-lazy-apps\nnot-now-strict = true'],
    ['yaml', 'uwsgi:\n  http: :80\n  - cron: 1\n  "stats": x\n  module: shop:app\n', 'uwsgi:\n  not-now-http: :80\n  - not-now-cron: 1\n  "not-now-stats": x\n  module: shop:app\n'],
    ['json', '{"uwsgi": {"socket": ":80", "module": "socket", "master-fifo" : "x"}}', '{"uwsgi": {"not-now-socket": ":80", "module": "socket", "not-now-master-fifo" : "x"}}'],
    ['xml', '<uwsgi><socket>:80</socket><vacuum/><module>shop</module></uwsgi>', '<uwsgi><not-now-socket>:80</not-now-socket><not-now-vacuum/><module>shop</module></uwsgi>'],
  ])('has in %s no socket, no file and no process of its own, and its app', (extension, text, expected) => {
    expect(rehearsalText(text, `/v/shop.${extension}`)).toBe(expected);
  });

  it.each(['chdir', 'module', 'wsgi-file', 'env', 'virtualenv', 'pythonpath', 'processes', 'threads', 'need-app', 'uid', 'mount', 'plugin', 'set-placeholder', 'import'])('keeps %s, which the app may need', (key) => {
    expect(rehearsalText(`[uwsgi]\n${key} = x\n`, '/v/shop.ini')).toBe(`[uwsgi]\n${key} = x\n`);
  });
});

it('a text that is moved to another folder says what it said', () => {
  expect(placeless('%p %d%n.py %o %c %0/%1 %2 %% %%d %(key) %h %D 100%', '/srv/50%/shop.ini')).toBe('/srv/50%%/shop.ini /srv/50%%/%n.py /srv/50%%/shop.ini 50%% srv/50%% %2 %% %%d %(key) %h /srv/50%%/ 100%');
});
