"""The hook's own bound, by a clock outside of it: whatever the agent does or does not, libvirt's start goes on in time. No lab: the program alone."""
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab.daemon import build_folder
from lab.procs import wait_until

BOUND_S, SLACK_S = 1.0, 4.0                      # of a loaded machine, which starts a sanitized process; without any bound it would be for ever
XML = b"<domain><name>vm</name></domain>"


def hook(path, timeout=BOUND_S, xml=XML, prepare=None):
    """(status, standard error, seconds); stdin is left open if xml is None. prepare: called in the process before it becomes the hook."""
    begin = time.monotonic()
    process = subprocess.Popen([os.path.join(build_folder(), "bin", "vnet-hook"), f"--socket={path}", f"--timeout={timeout}", "vm", "start", "begin", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare)
    kill = threading.Timer(30, process.kill)
    kill.start()
    try:
        if xml is not None:
            try:
                process.stdin.write(xml)
                process.stdin.close()
            except BrokenPipeError:
                pass
        status = process.wait()
        took = time.monotonic() - begin
        assert process.stdout.read() == b""
        return status, process.stderr.read().decode(), took
    finally:
        kill.cancel()
        if process.stdin and not process.stdin.closed:
            process.stdin.close()


def expect_bound(result, bound=BOUND_S):
    status, errors, took = result
    assert status == 0 and "no answer from vnet-agent in time" in errors, result
    assert bound <= took < bound + SLACK_S, result


def expect_at_once(result, bound=BOUND_S):
    """Not for its bound, which is made long for that."""
    status, errors, took = result
    assert status == 0 and "does not answer" in errors and took < bound, result


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "agent.sock")


@pytest.fixture
def listener(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(1)
        yield s


def test_without_an_agent_it_does_not_wait(path):
    expect_at_once(hook(path, timeout=20), 20)


def test_an_agent_that_died_and_left_its_socket_is_not_waited_for(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
    expect_at_once(hook(path, timeout=20), 20)


def test_a_queue_that_is_full_is_waited_for_no_longer_than_the_bound(path, listener):
    crowd = []
    for _ in range(1000):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        crowd.append(s)
        try:
            s.connect(path)
        except BlockingIOError:
            break
    else:
        pytest.fail("the queue has no end")
    expect_bound(hook(path))
    for s in crowd:
        s.close()


@pytest.mark.parametrize("xml", [XML, b"<domain>" + b" " * (1 << 20)], ids=["a short message", "one that does not fit into the socket"])
def test_an_agent_that_does_not_read_is_waited_for_no_longer_than_the_bound(path, listener, xml):
    expect_bound(hook(path, xml=xml))


def test_libvirt_that_does_not_end_its_xml_is_waited_for_no_longer_than_the_bound(path, listener):
    expect_bound(hook(path, xml=None))


def serve(listener, say):
    """Reads one message to its end; then say(connection)."""
    def run():
        connection = listener.accept()[0]
        with connection:
            while connection.recv(65536):
                pass
            say(connection)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_an_agent_that_answers_byte_by_byte_for_ever_is_waited_for_no_longer_than_the_bound(path, listener):
    gone = threading.Event()

    def dribble(connection):
        while not gone.wait(0.05):
            try:
                connection.send(b"x")
            except OSError:
                return
    thread = serve(listener, dribble)
    expect_bound(hook(path))
    gone.set()
    thread.join(10)


def test_an_answer_is_taken_when_it_comes(path, listener):
    thread = serve(listener, lambda connection: connection.sendall(b"ok\n"))
    status, errors, took = hook(path, timeout=20)
    assert (status, errors) == (0, "") and took < 20
    thread.join(10)


@pytest.mark.parametrize("timeout", ["1e-9", "0.0000001"])
def test_a_bound_that_is_next_to_nothing_is_one(path, listener, timeout):
    expect_bound(hook(path, timeout=timeout), 0)


def test_a_parent_that_blocks_the_alarm_does_not_take_the_bound_away(path, listener):
    expect_bound(hook(path, prepare=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])))


def test_a_real_agent_that_stands_still_is_waited_for_no_longer_than_the_bound(path, tmp_path):
    agent = subprocess.Popen([os.path.join(build_folder(), "bin", "vnet-agent"), "--connect=test:///default", "--server=unix:/nonexistent", "--config=/dev/null",
                              f"--ovsdb=unix:{tmp_path}/db.sock", f"--socket={path}", f"--state-dir={tmp_path}/state"], stderr=subprocess.DEVNULL)
    try:
        def listens():
            with socket.socket(socket.AF_UNIX) as s:
                return s.connect_ex(path) == 0
        wait_until(listens, 20, "the agent listens")
        agent.send_signal(signal.SIGSTOP)
        expect_bound(hook(path))
        agent.send_signal(signal.SIGCONT)
        agent.terminate()
        assert agent.wait(20) == 0
    finally:
        agent.kill()
        agent.wait()
