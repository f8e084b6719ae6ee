import './style/tokens.css'
import './style/base.css'
import './style/shared.css'
import './style/admin.css'

import { createApp } from 'vue'

import App from './app.vue'
import { router } from './router'
import { onPaper } from './time'

// A picture that does not come (no right to it, gone, no line) leaves its place empty.
for (const kind of ['error', 'load'] as const)
  document.addEventListener(
    kind,
    ({ target }) => {
      if (target instanceof HTMLImageElement) target.classList.toggle('absent', kind === 'error')
    },
    { capture: true },
  )

addEventListener('beforeprint', () => (onPaper.value = true))
addEventListener('afterprint', () => (onPaper.value = false))

createApp(App).use(router).mount('#app')
