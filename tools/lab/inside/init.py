"""Process 1 of a machine: reaps at once whoever is orphaned in it, and makes new machines and guests when asked.

Single-threaded on purpose, because it forks: whatever acts (pings, serves, runs commands) is an agent, a child of it.
Asked over FOLDER/init.sock, one JSON object a line:
  {"do": "machine", "name", "folder"}   a new net+mount+uts+pid namespace with an init of its own
  {"do": "guest", "name", "folder"}     a new network namespace, held by an agent; its pid namespace is this one
Both answer {"pid": its number in this machine's pid namespace}. The machine's own agent listens on FOLDER/agent.sock.
"""
import json
import os
import signal

from lab.inside import agent, namespaces


def become_machine(name, folder, ready_fd):
    """Never returns. Called in a child that is process 1 of a fresh pid namespace. Writes 'r' to ready_fd once it serves."""
    try:
        namespaces.unshare(namespaces.CLONE_NEWNET | namespaces.CLONE_NEWNS | namespaces.CLONE_NEWUTS)
        os.setsid()
        namespaces.furnish_machine(name, folder)
        os.chdir("/")
        _redirect(os.path.join(folder, "init.log"))
        server = agent.listen(os.path.join(folder, "init.sock"))
        signal.signal(signal.SIGCHLD, _reap)
        _fork(lambda: agent.serve(agent.listen(os.path.join(folder, "agent.sock"))), server)
        os.write(ready_fd, b"r")
        os.close(ready_fd)
        _serve(server)
    finally:
        os._exit(1)


def _redirect(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def _reap(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _fork(body, *sockets_to_close):
    """A child that runs body and never comes back. Returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for s in sockets_to_close:
            s.close()
        body()
        status = 0
    except BaseException as e:                     # a child must never fall back into the init's loop
        print(f"child: {e!r}", flush=True)
    finally:
        os._exit(status)


def _serve(server):
    while True:
        client, _ = server.accept()
        with client, client.makefile("rw") as stream:
            for line in stream:
                request = json.loads(line)
                make = {"machine": _make_machine, "guest": _make_guest}[request["do"]]
                try:
                    answer = {"pid": make(request["name"], request["folder"], server, client)}
                except OSError as e:
                    answer = {"error": str(e)}
                stream.write(json.dumps(answer) + "\n")
                stream.flush()


def _make_guest(name, folder, *inherited):
    os.makedirs(folder, exist_ok=True)
    read_end, write_end = os.pipe()

    def body():
        os.close(read_end)
        namespaces.unshare(namespaces.CLONE_NEWNET)
        namespaces.settle_network()
        os.setsid()
        listener = agent.listen(os.path.join(folder, "agent.sock"))
        os.write(write_end, b"r")
        os.close(write_end)
        agent.serve(listener)

    pid = _fork(body, *inherited)
    os.close(write_end)
    _expect_ready(read_end, name, b"r")
    return pid


def _make_machine(name, folder, *inherited):
    """A pid namespace begins with the next child, so a short-lived middle process unshares, forks and reports the number."""
    os.makedirs(folder, exist_ok=True)
    read_end, write_end = os.pipe()

    def middle():
        os.close(read_end)
        namespaces.unshare(namespaces.CLONE_NEWPID)
        pid = os.fork()
        if pid == 0:
            become_machine(name, folder, write_end)
        os.write(write_end, b"%d\n" % pid)

    _fork(middle, *inherited)
    os.close(write_end)
    return int(_expect_ready(read_end, name, b"r", b"\n").replace(b"r", b""))


def _expect_ready(read_end, name, *parts):
    """Collects what the child writes until all parts are there; the end of the pipe before that is a failure."""
    text = b""
    try:
        while not all(part in text for part in parts):
            data = os.read(read_end, 64)
            if not data:
                raise OSError(f"'{name}' did not come up; see init.log in its machine's folder")
            text += data
        return text
    finally:
        os.close(read_end)
