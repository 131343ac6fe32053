/** Bytes of the largest body that travels. */
export const LARGEST = 8 * 1024 * 1024

/** What large bodies are the beginning of: no two places of it look alike. */
export const LARGE = Buffer.alloc(LARGEST)
for (let i = 0; i < LARGEST; i += 4) LARGE.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0, i)

/** Items of a page, and pages, that a sync goes through. */
export const PAGE = 100
export const PAGES = 5
