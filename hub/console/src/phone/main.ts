import '../style/tokens.css'
import '../style/base.css'
import '../public/public.css'

import { createApp } from 'vue'

import PhoneApp from './phone-app.vue'

createApp(PhoneApp).mount('#app')
void navigator.serviceWorker?.register('/phone-worker.js', { scope: '/phone' })
