import type { Address } from '../core/address.ts';
import { parseTcp, parseUnix } from './address-form.ts';
import { single, type Form } from './form.ts';

/** What is asked, and where. */
export interface HttpQuestion {
  /** null: the first address of `listen`. */
  readonly address: Address | null;
  /** With its query. */
  readonly path: string;
}

/** `http://unix:` takes the path of the socket up to the next colon, as in nginx: ngx_http_proxy_module, proxy_pass. */
const UNIX_URL = /^http:\/\/unix:([^:]+)(?::(\/.*)?)?$/s;
const TCP_URL = /^http:\/\/([^/]+)(\/.*)?$/s;

/** What may stand in a request line: RFC 9112, section 3; other characters are written %XX there. No server is asked for longer ones. */
const REQUEST_PATH = /^\/[!"$-~]{0,2000}$/;

/** A path, or a whole URL; that of a unix socket as nginx writes it: `http://unix:/run/shop.sock:/path`. */
export const HTTP: Form<HttpQuestion> = single({
  label: 'a path or a URL',
  hint: 'write "/path", "http://127.0.0.1:9000/path" or "http://unix:/run/shop.sock:/path"',
  parse(text, written, place) {
    if (written !== 'text') return undefined;
    if (REQUEST_PATH.test(text)) return { address: null, path: text };
    const byUnix = UNIX_URL.exec(text);
    const [, where = '', path = '/'] = byUnix ?? TCP_URL.exec(text) ?? [];
    const address = byUnix === null ? parseTcp(where, 80) : parseUnix(where, place.folder);
    return where !== '' && address !== undefined && REQUEST_PATH.test(path) ? { address, path } : undefined;
  },
  advise(text) {
    if (/^https:/i.test(text)) return 'it is asked without TLS: write "http://…"';
    if (/^http:\/\/localhost\b/i.test(text)) return `write "${text.replace(/localhost/i, '127.0.0.1')}"`;
    if (/^http:\/\/[a-z]/i.test(text) && !text.startsWith('http://unix:')) return 'a name may mean several addresses: write the one that you mean';
    return /^[^/:]+$/.test(text) ? `write "/${text}"` : null;
  },
});

/** Statuses of HTTP that are a good answer, both ends included: `"200-399"`, `"200"`. */
export const STATUS: Form<readonly [number, number]> = single({
  label: 'a status of HTTP, or a range of them',
  hint: 'write "200-399" or "200"',
  parse(text) {
    const [, from = '', to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
    return from !== '' && Number(from) <= Number(to) ? [Number(from), Number(to)] : undefined;
  },
  advise: (text) => (/^[1-5]xx$/i.test(text) ? `write "${text.charAt(0)}00-${text.charAt(0)}99"` : null),
});
