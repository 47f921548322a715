import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, vi } from 'vitest';
import { Daemon, makePlace } from './daemon.ts';

// Emperors start and upgrade here, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** What any program can do: a datagram from a socket with a name, and the answer. Lengths as struct(3) packs them. */
const CLIENT = `
import json, socket, struct, sys
pairs = json.loads(sys.argv[2])
body = b''.join(struct.pack('<H', len(each)) + each for pair in pairs.items() for each in (text.encode() for text in pair))
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
client.bind('')
client.sendto(struct.pack('<BHB', 0, len(body), 0) + body, sys.argv[1])
answer, texts, at = client.recv(65536), [], 4
while at < len(answer):
    size = struct.unpack_from('<H', answer, at)[0]
    texts.append(answer[at + 2:at + 2 + size].decode())
    at += 2 + size
print(json.dumps(dict(zip(texts[::2], texts[1::2]))))
`;

async function tell(daemon: Daemon, packet: Readonly<Record<string, string>>): Promise<unknown> {
  const { stdout } = await execa('python3', ['-c', CLIENT, join(daemon.place.folder, 'commands'), JSON.stringify(packet)]);
  return JSON.parse(stdout) as unknown;
}

const SHOP = '[vassal]\ncommand = ["sleep", "1000"]\nready = { after = "1ms" }\n';

it('a vassal waits for the command that starts it, is told the others, and each of them is answered and written down', async () => {
  const place = makePlace();
  await using daemon = await Daemon.start(place, { args: ['--command-socket', join(place.folder, 'commands'), '--wait-for-command'] });
  expect(statSync(join(place.folder, 'commands')).mode & 0o777).toBe(0o660);
  const file = daemon.write('shop.toml', SHOP);
  await daemon.untilState('shop', 'stopped');
  utimesSync(file, new Date(), new Date());
  await daemon.until(() => true, 'an answer');
  expect((await daemon.vassal('shop'))?.state).toBe('stopped');
  expect(await tell(daemon, { cmd: 'spawn', vassal: 'shop.toml' })).toEqual({ status: 'ok', vassal: 'shop.toml' });
  const first = await daemon.untilState('shop', 'ready');
  expect(await tell(daemon, { cmd: 'respawn', vassal: 'shop' })).toMatchObject({ status: 'ok' });
  await daemon.untilReplaced('shop', first);
  expect(await tell(daemon, { cmd: 'stop', vassal: 'shop' })).toMatchObject({ status: 'ok' });
  expect((await daemon.vassal('shop'))?.state).toBe('stopped');
  expect(await tell(daemon, { cmd: 'log', msg: 'done here' })).toEqual({ status: 'ok' });
  expect(daemon.output.join('\n')).toContain('done here');
  expect(await tell(daemon, { cmd: 'stop', vassal: 'ghost' })).toMatchObject({ status: 'error', message: expect.stringContaining('E_NO_VASSAL') as string });
  const orders = (await daemon.events('shop')).filter(({ event }) => event === 'order');
  expect(orders.map(({ why }) => why)).toEqual(['start was asked for', 'reload was asked for', 'stop was asked for']);
  for (const { actor } of orders) expect(actor).toMatch(/^\S+\[\d+\]$/);
  // It goes with the emperor, and the next program in the same process has it again.
  expect(await daemon.cli('upgrade')).toMatchObject({ code: 0 });
  expect(await tell(daemon, { cmd: 'spawn', vassal: 'shop' })).toMatchObject({ status: 'ok' });
});

it('by the options of uWSGI, too; whom they except starts by itself, and who was started is started by the next emperor', async () => {
  const place = makePlace();
  const options = { sources: [], args: ['--emperor-compat', '--', '--emperor', place.vassals, '--emperor-command-socket', join(place.folder, 'commands'), '--emperor-wait-for-command', '--emperor-wait-for-command-ignore', 'free.toml'] };
  await using first = await Daemon.start(place, options);
  for (const name of ['free', 'shop', 'other']) first.write(`${name}.toml`, SHOP);
  await first.untilState('free', 'ready');
  await first.untilState('other', 'stopped');
  expect(await tell(first, { command: 'spawn', vassal: 'shop.toml' })).toMatchObject({ status: 'ok' });
  await first.end();
  await using second = await Daemon.start(place, options);
  await second.untilState('shop', 'ready');
  expect((await second.status()).vassals.map(({ name, state }) => `${name} ${state}`)).toEqual(['free ready', 'other stopped', 'shop ready']);
});
