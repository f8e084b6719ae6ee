/** Where this phone is, as far as it knows. */

export interface Place {
  lat: number
  lon: number
  acc_m: number
  at: string
}

export function whereAmI(timeoutMs = 15_000): Promise<Place> {
  return new Promise((done, fail) =>
    navigator.geolocation.getCurrentPosition((found) => done(placeOf(found)), fail, {
      enableHighAccuracy: true,
      timeout: timeoutMs,
      maximumAge: 10_000,
    }),
  )
}

export function placeOf(found: GeolocationPosition): Place {
  return {
    lat: Math.round(found.coords.latitude * 1e6) / 1e6,
    lon: Math.round(found.coords.longitude * 1e6) / 1e6,
    acc_m: Math.round(found.coords.accuracy),
    at: new Date(found.timestamp).toISOString(),
  }
}
