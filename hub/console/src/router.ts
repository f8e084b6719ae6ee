/** Addresses stay behind the `#`, so that the hub serves one page whatever it is opened at. */

import { createRouter, createWebHashHistory } from 'vue-router'

import ShiftPage from './pages/shift-page.vue'

/** A page of a newer hub: what is open asks for parts that are there no more, and is read anew. */
const READ_ANEW = 'tianyan.readAnew'
const AGAIN_AFTER_MS = 60_000

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'shift', component: ShiftPage },
    { path: '/cases', name: 'cases', component: () => import('./pages/cases-page.vue') },
    {
      path: '/cases/:id',
      name: 'case',
      component: () => import('./pages/case-page.vue'),
      props: true,
    },
    { path: '/reports', name: 'reports', component: () => import('./pages/reports-page.vue') },
    { path: '/ledgers', name: 'ledgers', component: () => import('./pages/ledgers-page.vue') },
    { path: '/cameras', name: 'cameras', component: () => import('./pages/cameras-page.vue') },
    {
      path: '/cameras/:device/:camera',
      name: 'camera',
      component: () => import('./pages/camera-page.vue'),
      props: true,
    },
    { path: '/vehicles', name: 'vehicles', component: () => import('./pages/vehicles-page.vue') },
    { path: '/dispatch', name: 'dispatch', component: () => import('./pages/dispatch-page.vue') },
    { path: '/learning', name: 'learning', component: () => import('./pages/learning-page.vue') },
    { path: '/patrol', name: 'patrol', component: () => import('./pages/patrol-page.vue') },
    {
      path: '/evaluation',
      name: 'evaluation',
      component: () => import('./pages/evaluation-page.vue'),
    },
    { path: '/wall', name: 'wall', component: () => import('./pages/wall-page.vue') },
    { path: '/duty', name: 'duty', component: () => import('./pages/duty-page.vue') },
    {
      path: '/vehicles/day',
      name: 'vehicle-day',
      component: () => import('./pages/vehicle-day-page.vue'),
    },
    {
      path: '/vehicles/permits',
      name: 'permits',
      component: () => import('./pages/permits-page.vue'),
    },
    { path: '/admin/people', name: 'people', component: () => import('./pages/people-page.vue') },
    { path: '/admin/keys', name: 'api-keys', component: () => import('./pages/api-keys-page.vue') },
    {
      path: '/admin/webhooks',
      name: 'webhooks',
      component: () => import('./pages/webhooks-page.vue'),
    },
    { path: '/admin/history', name: 'history', component: () => import('./pages/history-page.vue') },
    { path: '/admin/grids', name: 'grids', component: () => import('./pages/grids-page.vue') },
    { path: '/admin/matters', name: 'matters', component: () => import('./pages/matters-page.vue') },
    { path: '/admin/devices', name: 'devices', component: () => import('./pages/devices-page.vue') },
    {
      path: '/admin/devices/:device',
      name: 'device',
      component: () => import('./pages/device-page.vue'),
      props: true,
    },
    {
      path: '/admin/quarantine',
      name: 'quarantine',
      component: () => import('./pages/quarantine-page.vue'),
    },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})

/** The router hears of an address written while its first page is being fetched only from here. */
let asked = location.hash
const stop = router.beforeResolve(() => {
  if (location.hash === asked) return true
  asked = location.hash
  return asked.slice(1) || '/'
})
void router.isReady().finally(stop)

router.onError(async (_fault, to) => {
  const last = Number(sessionStorage.getItem(READ_ANEW) ?? 0)
  if (Date.now() < last + AGAIN_AFTER_MS) return
  const isThere = await fetch('/api/session').then(() => true, () => false)
  if (!isThere) return
  sessionStorage.setItem(READ_ANEW, String(Date.now()))
  location.hash = to.fullPath
  location.reload()
})
