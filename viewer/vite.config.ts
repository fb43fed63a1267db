import preact from '@preact/preset-vite'
import { defineConfig } from 'vite'

/** Where `vite dev` finds the gateway. */
const gateway = 'http://127.0.0.1:4880'

export default defineConfig({
  plugins: [preact()],
  // Nothing may be inlined: the gateway's Content-Security-Policy allows its own origin only.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sw: 'sw/sw.ts' },
      output: {
        // The service worker keeps its name: a browser asks for the same address to learn of a new one.
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: { '/api': { target: gateway }, '/mqtt': { target: gateway, ws: true } },
  },
})
