export default function mapOrders(message: any) {
  message.body = message.body.orders
}
export function mapOne(message: any) {
  message.body = message.body.orders[0]
}
