// Before the first paint, so that a dark room never sees a white flash.
{
  const wish = localStorage.getItem('tianyan.theme')
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = wish === 'dark' || wish === 'light' ? wish : dark ? 'dark' : 'light'
}
