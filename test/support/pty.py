# Runs a command on a terminal of its own: keys come over standard input, what it shows goes to standard output. A line of
# JSON on file descriptor 3 for each event: {"event": "stopped" | "ended", "code", "raw", "restored"}.
import fcntl, json, os, select, signal, struct, sys, termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(slave, descriptor)
    os.closerange(3, 64)
    os.execvp(sys.argv[3], sys.argv[3:])

raw = False


def mode():
    return termios.tcgetattr(slave)


def tell(event, code=None):
    fact = {"event": event, "pid": child, "code": code, "raw": raw, "restored": mode() == before}
    os.write(3, (json.dumps(fact) + "\n").encode())


def show(seconds):
    while select.select([master], [], [], seconds)[0]:
        os.write(1, os.read(master, 65536))


tell("begun")
ended = False
while not ended:
    ready = select.select([master, 0], [], [], 0.02)[0]
    if master in ready:
        os.write(1, os.read(master, 65536))
    if 0 in ready:
        keys = os.read(0, 4096)
        if keys == b"":
            os.kill(child, signal.SIGKILL)
            break
        os.write(master, keys)
    raw = raw or not mode()[3] & termios.ICANON
    pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    if pid and os.WIFSTOPPED(status):
        tell("stopped")
        os.kill(child, signal.SIGCONT)
    elif pid:
        show(0)
        tell("ended", os.waitstatus_to_exitcode(status))
        ended = True
