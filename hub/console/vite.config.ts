import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const hub = process.env.TIANYAN_HUB ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [vue()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1300,
    rollupOptions: { input: ['index.html', 'public.html', 'phone.html'] },
  },
  server: { proxy: { '/api': hub, '/public': hub }, fs: { allow: ['..'] } },
  test: { include: ['src/**/*.test.ts'] },
})
