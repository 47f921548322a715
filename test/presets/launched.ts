import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { until } from '../until.ts';

const APPS = new URL('../fixtures/apps', import.meta.url).pathname;

/** A server that was started with one listening socket as descriptor 3, as the emperor starts it. */
export class Launched implements AsyncDisposable {
  readonly port: number;
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;
  private output = '';

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** @param folder of test/fixtures/apps */
  static async start([program, ...words]: readonly [string, ...string[]], folder: string): Promise<Launched> {
    const held = createServer().listen(0, '127.0.0.1');
    await once(held, 'listening');
    const { port } = held.address() as AddressInfo;
    const child = spawn(program, words, {
      cwd: `${APPS}/${folder}`,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe', descriptorOf(held)],
      detached: true,
    });
    const launched = new Launched(child, port);
    await once(child, 'spawn');
    held.close();
    return launched;
  }

  async untilPrinted(text: string): Promise<void> {
    await until(() => {
      if (!this.output.includes(text)) throw new Error(`not printed: ${text}; but: ${this.output}`);
    });
  }

  stop(): void {
    this.child.kill('SIGTERM');
  }

  /** Its whole process group, which is gone when it has ended well. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await this.ended;
  }
}

/** Node shows it nowhere else. */
function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
