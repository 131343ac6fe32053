export default function broken(message: any) {
  const { orders = [] } = message.body
  orders.forEach((order: { id: string ) => {
    order.id = ''
  })
}
