import { describe, expect, it } from 'vitest';
import { isVassalFileName, vassalNameOf } from '../../src/monitors/vassal-file-name.ts';

describe('names of vassal files', () => {
  it.each([
    ['shop.ini', 'shop'], ['shop.toml', 'shop'], ['shop.yaml', 'shop'], ['shop.yml', 'shop'], ['shop.json', 'shop'], ['shop.xml', 'shop'],
    ['shop.eu.toml', 'shop.eu'], ['_defaults.toml', '_defaults'], ['~shop.toml', '~shop'], ['a b\n\'".ini', 'a b\n\'"'],
  ])('%j is one, of %j', (file, name) => {
    expect([isVassalFileName(file), vassalNameOf(file)]).toEqual([true, name]);
  });

  it.each([
    '_shop.toml', '_defaults.txt', '.shop.toml', '.toml', '..toml', 'shop', 'toml', 'shop.txt', 'shop.TOML', 'shop.toml~', 'shop.toml.swp', '.shop.toml.swp', 'shop.toml.tmp',
    'shop.toml.disabled', 'shop.toml.dpkg-old', 'shop.toml.dpkg-dist', 'shop.toml.rpmsave', 'shop.toml.rpmnew', 'shop.tomlx', '', '.', '..',
  ])('%j is none', (file) => {
    expect(isVassalFileName(file)).toBe(false);
  });
});
