import { expect, it } from 'vitest';
import { readXml } from '../../src/config/xml.ts';
import { outcome } from './plain.ts';

const read = (text: string) => outcome(readXml(text, '/v/shop.xml'));

it.each([
  ['takes the root for the section', '<vassal>\n<user>shop</user>\n</vassal>', [['vassal @1', [['user @2', '"shop" @2']]]]],
  ['finds the sections in a root of any name', '<?xml version="1.0"?>\n<emperor>\n<vassal><user>shop</user></vassal>\n<uwsgi><socket>:1</socket></uwsgi>\n</emperor>', [['vassal @3', [['user @3', '"shop" @3']]], ['uwsgi @4', []]]],
  ['counts the lines of Windows', '<vassal>\r\n\r\n<user>shop</user>\r\n</vassal>', [['vassal @1', [['user @3', '"shop" @3']]]]],
  ['notes a uwsgi section and leaves its content alone', '<uwsgi id="x">text<master/></uwsgi>', [['uwsgi @1', []]]],
  ['makes a list of repeated elements', '<vassal><command>node</command><command>a.js</command></vassal>', [['vassal @1', [['command @1', ['"node" @1', '"a.js" @1']]]]]],
  ['takes attributes for keys', '<vassal server="node"><environment PORT="1"/></vassal>', [['vassal @1', [['server @1', '"node" @1'], ['environment @1', [['PORT @1', '"1" @1']]]]]]],
  ['reads entities, numbers and CDATA', '<vassal><app>a &amp; b &#65; <![CDATA[<c>]]></app></vassal>', [['vassal @1', [['app @1', '"a & b A<c>" @1']]]]],
  ['does not guess at types', '<vassal><umask>022</umask><x>true</x></vassal>', [['vassal @1', [['umask @1', '"022" @1'], ['x @1', '"true" @1']]]]],
  ['refuses names that JavaScript would trip over', '<vassal><__proto__>1</__proto__></vassal>', ['E_SYNTAX:null not valid XML: [SECURITY] Invalid name: "__proto__" is a reserved JavaScript keyword that could cause prototype pollution']],
  ['refuses two roots', '<vassal/>\n<vassal/>', ['E_SYNTAX:2 not valid XML: a second root']],
  ['refuses nesting without end', `${'<a>'.repeat(500)}${'</a>'.repeat(500)}`, ['E_SYNTAX:null not valid XML: Maximum nested tags exceeded']],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected);
});
