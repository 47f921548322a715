import { describe, expect, it } from 'vitest';
import { faultsOf, specOf } from './context.ts';

const file = (text: string): string => `[vassal]\ncommand = "a"\n${text}`;

describe('the unit of an instance', () => {
  it.each([
    ['', null],
    ['runner = "direct"', null],
    ['runner = "systemd"', []],
    ['runner = "systemd"\nsystemd = { ProtectSystem = "strict", DynamicUser = true, TasksMax = 9 }', ['ProtectSystem=strict', 'DynamicUser=true', 'TasksMax=9']],
    ['runner = "systemd"\n[vassal.systemd]\nLoadCredential = ["a:/etc/a", "b:/etc/b"]\nBindPaths = "/srv/%n"', ['LoadCredential=a:/etc/a', 'LoadCredential=b:/etc/b', 'BindPaths=/srv/shop']],
  ])('of %j is %j', (text, properties) => {
    expect(specOf('/v/shop.toml', file(text)).unit).toEqual(properties === null ? null : { properties });
  });

  it('can be written in a file without tables', () => {
    expect(specOf('/v/shop.ini', '[vassal]\ncommand = a\nrunner = systemd\nsystemd.PrivateTmp = true\n').unit).toEqual({ properties: ['PrivateTmp=true'] });
  });

  it.each([
    ['runner = "docker"', '"runner" wants one of direct, systemd'],
    ['systemd = { PrivateTmp = true }', '"systemd" is for instances that systemd runs at /v/shop.toml:3; write runner = "systemd"'],
    ['runner = "systemd"\nsystemd = "strict"', '"systemd" wants a table of properties and values'],
    ['runner = "systemd"\n[vassal.systemd]\nUser = "x"', 'the property "User" is the emperor\'s own at /v/shop.toml:5; use the key "user"'],
    ['runner = "systemd"\n[vassal.systemd]\nRemainAfterExit = false', 'the property "RemainAfterExit" is the emperor\'s own at /v/shop.toml:5; remove it'],
    ['runner = "systemd"\n[vassal.systemd]\nprotect-system = "full"', '"protect-system" cannot be the name of a property'],
    ['runner = "systemd"\n[vassal.systemd]\nPrivateTmp = { a = 1 }', '"systemd.PrivateTmp" wants the value of a property, not a table'],
    ['runner = "systemd"\n[vassal.systemd]\nPrivateTmp = """a\nb"""', '"systemd.PrivateTmp" wants the value of a property'],
  ])('refuses %j', (text, fault) => {
    expect(faultsOf('/v/shop.toml', file(text))).toEqual([expect.stringContaining(fault)]);
  });
});
