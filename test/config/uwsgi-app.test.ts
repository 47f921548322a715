import { expect, it } from 'vitest';
import { loadsApp } from '../../src/config/uwsgi-app.ts';

it.each([
  ['.ini', '[uwsgi]\nmodule = shop:app\n', true],
  ['.ini', '[uwsgi]\n  wsgi-file=shop.py\n', true],
  ['.ini', '[uwsgi]\nmount = /a=a.py\n', true],
  ['.ini', '[uwsgi]\n; module = shop\nstatic-map = /=/srv\n', false],
  ['.ini', '[uwsgi]\npidfile = /x\ntouch-reload = module\n', false],
  ['.conf', '[uwsgi]\npsgi = shop.pl\n', true],
  ['.yml', 'uwsgi:\n  module: shop:app\n', true],
  ['.yaml', 'uwsgi:\n  cron: 1 1 1 1 1 module\n', false],
  ['.json', '{"uwsgi":{"wsgi-file":"shop.py"}}', true],
  ['.json', '{"uwsgi":{"route":"module"}}', false],
  ['.xml', '<uwsgi><module>shop:app</module></uwsgi>', true],
  ['.xml', '<uwsgi><http>:80</http></uwsgi>', false],
])('%s %j loads an app: %j', (extension, text, expected) => {
  expect(loadsApp(text, extension)).toBe(expected);
});
