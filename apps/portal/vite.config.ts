import react from '@vitejs/plugin-react';
import { isBuiltin } from 'node:module';
import { defineConfig, type Plugin } from 'vite';

const WEB_CRYPTO = '\0web-crypto';

/**
 * A browser has no modules of Node. A dependency that reaches for one must stop the build, not the user. The one
 * exception: @hpke/common falls back to Node's `crypto` where there is no global one; a browser gives it its own.
 */
const noNodeModules: Plugin = {
  name: 'no-node-modules',
  enforce: 'pre',
  resolveId(source, importer = 'an entry') {
    if (source === 'crypto' && importer.includes('/@hpke/common/')) return WEB_CRYPTO;
    if (isBuiltin(source)) this.error(`${source} is imported by ${importer}`);
    return null;
  },
  load: (id) => (id === WEB_CRYPTO ? 'export const webcrypto = globalThis.crypto;' : null),
};

export default defineConfig({
  // Relative, so that the same files work under any path: an own domain, a Walrus Site, a folder.
  base: './',
  plugins: [noNodeModules, react()],
  resolve: { conditions: ['@usufruct/source', 'module', 'browser', 'import', 'default'] },
  worker: { format: 'es', plugins: () => [noNodeModules] },
  build: {
    target: 'es2022',
    // Nothing may become a data: URL or an inline script: the page's content security policy forbids both.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_500,
    sourcemap: false,
  },
});
