/** The map is half of the console's weight: it comes when a page shows one. */

import { defineAsyncComponent } from 'vue'

export const LazyGridProblemMap = defineAsyncComponent(() => import('./grid-problem-map.vue'))
