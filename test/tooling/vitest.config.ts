import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**', 'test/systemd/inside/**', 'node_modules/**'],
    globalSetup: ['test/tooling/build.ts'],
    pool: 'forks',
    // By default one core would be left idle; most tests wait for processes of their own.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A loaded machine takes its time; who waits for longer waits in vain.
    expect: { poll: { timeout: 20_000 } },
  },
});

export default config;
