import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The pages are embedded in the binary and served under `default-src 'self'`: nothing may be inlined (no data: URIs,
// no inline polyfill), and the file names carry a hash so that they can be cached for ever.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // public/.gitkeep puts dist/.gitkeep back after Vite has emptied the folder: the binary's build needs the folder.
    emptyOutDir: true,
    // MapLibre's worker is an .mjs file, which some servers do not know to be JavaScript.
    rollupOptions: {
      output: { assetFileNames: ({ names }) => `assets/[name]-[hash]${names[0]?.endsWith('.mjs') ? '.js' : '[extname]'}` },
    },
    // MapLibre is one megabyte by itself and is loaded only where a map is shown.
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8799' } },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
