import './style/tokens.css'
import './style/base.css'
import './style/shared.css'
import './style/admin.css'

import { createApp } from 'vue'

import App from './app.vue'
import { router } from './router'

createApp(App).use(router).mount('#app')
