import { defineConfig, type RolldownOptions } from 'rolldown';

/**
 * `npm run build`: our own files as a few, since Node takes about 1 ms for each that it loads. Packages stay where they are; what is imported
 * when it is needed stays in files of its own, as deep in the tree as in src/.
 */
const config: RolldownOptions = defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  output: { dir: 'dist', format: 'esm', cleanDir: true, entryFileNames: '[name].js', chunkFileNames: 'lib/[name]-[hash].js' },
});

export default config;
