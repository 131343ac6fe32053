export default function broken(message: { body: unknown }): void {
  message.body = {
}
