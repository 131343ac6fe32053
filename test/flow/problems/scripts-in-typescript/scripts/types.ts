interface Order { readonly id: string }

export default function ids(message: { body: Order[] }): void {
  message.body = message.body.map((order: Order): string => order.id)
}
