export function toOrder(message: { body: unknown }): void {
  message.body = { order: message.body }
}
