import '../style/tokens.css'
import '../style/base.css'
import './public.css'

import { createApp } from 'vue'

import PublicApp from './public-app.vue'

createApp(PublicApp).mount('#app')
