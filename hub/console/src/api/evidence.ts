import { requestBlob } from './http'

/** The original, faces and plates as they are; the hub writes down who saw it and why. */
export function openOriginal(sha256: string, reason: string): Promise<Blob> {
  return requestBlob('POST', `/api/evidence/${sha256}/opening`, { reason })
}
