import { mkdirSync } from 'node:fs';
import { expect } from 'vitest';
import { installProgram, Service, succeed } from './host.ts';

/** The emperor of the host. */
export const service: Service = new Service();

/** It reigns, whatever the test before has left. */
export async function reigning(): Promise<void> {
  if ((await service.show('LoadState')) === 'not-found') {
    installProgram();
    mkdirSync(service.folder, { recursive: true });
    expect(await service.cli('systemd', 'install')).toMatchObject({ code: 0 });
  }
  await succeed('systemctl', 'start', service.unit);
}
