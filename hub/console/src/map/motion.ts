/** Below this a vehicle stands: receivers drift by a few km/h. */
export const MOVING_KMH = 3
