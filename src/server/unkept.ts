import type { FastifyReply } from 'fastify'
import { NO_SNIFFING } from '../core/header.ts'

/** An answer that no cache keeps, and that browsers take for what it says it is. */
export function unkept(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header(NO_SNIFFING[0]!, NO_SNIFFING[1])
}
