export default async function fetching(message: any) {
  message.body = await fetch(message.body.url)
}
