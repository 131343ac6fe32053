enum State { Open, Closed }

export default function states(message: { body: unknown }): void {
  message.body = State.Open
}
