/** A photo made small enough for a slow line; drawing it anew drops what the phone wrote into it. */

const LONGEST_SIDE = 1600
const MOST_BYTES = 900_000

export async function shrunk(photo: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(photo, { imageOrientation: 'from-image' })
  try {
    for (const [side, quality] of [
      [LONGEST_SIDE, 0.85],
      [1280, 0.75],
      [960, 0.6],
    ] as const) {
      const made = await drawn(bitmap, side, quality)
      if (made.size <= MOST_BYTES) return made
    }
    return await drawn(bitmap, 640, 0.5)
  } finally {
    bitmap.close()
  }
}

function drawn(bitmap: ImageBitmap, side: number, quality: number): Promise<Blob> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return new Promise((done, fail) =>
    canvas.toBlob(
      (made) => (made ? done(made) : fail(new Error('no picture'))),
      'image/jpeg',
      quality,
    ),
  )
}
