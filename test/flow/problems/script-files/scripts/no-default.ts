export const size = 1
export function map(message: any) {
  message.body = size
}
