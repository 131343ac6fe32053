import { KEY_ALGORITHMS } from '../security/signing-key.ts'

/** Signatures of tokens and assertions that are taken; none of them can be made with what everybody may read. */
export const SIGNATURE_ALGORITHMS = [...KEY_ALGORITHMS, 'Ed25519'] as const
