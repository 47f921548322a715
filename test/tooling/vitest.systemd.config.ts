import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** What is run under a real systemd, by test/systemd/real.test.ts: the program is built already. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/systemd/inside/*.test.ts'],
    pool: 'forks',
    // They have one systemd.
    fileParallelism: false,
    testTimeout: 60_000,
    cache: false,
  },
});

export default config;
