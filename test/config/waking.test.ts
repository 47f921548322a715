import { describe, expect, it } from 'vitest';
import { parseVassal } from '../../src/config/vassal.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { CONTEXT } from './context.ts';

function parsed(text: string, address: string, file = '/v/shop.ini'): ReturnType<typeof parseVassal> {
  return parseVassal({ id: file as VassalId, text, basis: { address } }, CONTEXT);
}

const NOBODY = { mode: null, user: null, group: null, backlog: 4096 };

describe('a file of uWSGI that is on demand by the word of somebody else', () => {
  it.each<[string, string, object]>([
    ['127.0.0.1:8000', '[uwsgi]\n', { address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, ...NOBODY }],
    ['[::1]:8000', '[uwsgi]\nlisten = 5\n', { address: { kind: 'tcp', host: '::1', port: 8000, v6only: false }, ...NOBODY, backlog: 5 }],
    ['/run/shop.sock', '[uwsgi]\n', { address: { kind: 'unix', path: '/run/shop.sock' }, ...NOBODY, mode: 0o666 }],
    ['shop.sock', '[uwsgi]\nchmod-socket = 600\nuid = http\n', { address: { kind: 'unix', path: '/v/shop.sock' }, ...NOBODY, mode: 0o600, user: 'http' }],
  ])('waits at %s', (address, text, listen) => {
    expect(parsed(text, address)).toMatchObject({ ok: true, spec: { onDemand: true, listen: [listen], source: { text } } });
  });

  it('finds the descriptor where it names the same address, and opens others itself', () => {
    expect(parsed('[uwsgi]\nhttp-socket = /run/%n.sock\nsocket = :3031\n', '/run/shop.sock')).toMatchObject({ ok: true, spec: { source: { text: '[uwsgi]\nhttp-socket = fd://3\nsocket = :3031\n' } } });
  });

  it.each([
    ['listen = :80', false],
    ['listen = :80\non-demand = true', true],
    ['on-demand = false', false],
  ])('means what it says itself: %s', (keys, onDemand) => {
    const outcome = parsed(`[uwsgi]\n[vassal]\n${keys}\n`, '/run/shop.sock');
    expect(outcome).toMatchObject({ ok: true, spec: { onDemand } });
    expect(JSON.stringify(outcome)).not.toContain('/run/shop.sock');
  });

  it('has an idle-timeout of its own, if it likes', () => {
    expect(parsed('[uwsgi]\n[vassal]\nidle-timeout = 5m\n', ':80')).toMatchObject({ ok: true, spec: { onDemand: true, idleTimeoutMs: 300_000 } });
  });

  it('is at fault where the address is none', () => {
    expect(parsed('[uwsgi]\n', '@shop')).toMatchObject({ ok: false, faults: [{ code: 'E_VALUE', message: 'it is to wait for its first connection at "@shop": abstract sockets belong to nobody', hint: 'name a path' }] });
  });

  it('is one of uWSGI: others do not hear of it', () => {
    expect(parsed('[vassal]\ncommand = a\n', ':80')).toMatchObject({ ok: true, spec: { onDemand: false, listen: [] } });
  });
});
