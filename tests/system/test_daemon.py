"""vnetd as a program: its options and configuration file, the background, files it keeps, signals."""
import os
import stat
import subprocess

import pytest

from lab import wait_until
from plain import VNETCTL, VNETD, Background, is_alive, listeners, run, serves


def test_in_the_background_it_serves_when_it_returns_and_ends_cleanly_on_sigterm(tmp_path):
    with Background(tmp_path, *listeners(tmp_path), f"--log-file={tmp_path}/log") as daemon:
        assert daemon.status == 0, daemon.errors
        assert serves(f"{tmp_path}/socket")
        assert os.readlink(f"/proc/{daemon.pid}/exe") == os.path.realpath(VNETD)
        assert os.getsid(daemon.pid) == daemon.pid and os.readlink(f"/proc/{daemon.pid}/fd/0") == "/dev/null"
        assert stat.S_IMODE(os.stat(tmp_path / "db").st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["db", "log"], "socket and pid file go with it"
    log = (tmp_path / "log").read_text()
    assert log.count("is unauthenticated") == 2 and "serves" in log and "stopping" in log


def test_a_failure_in_the_background_is_told_at_once_with_its_reason(tmp_path):
    with Background(tmp_path, *listeners(tmp_path), f"--store=sqlite:{tmp_path}/nowhere/db") as daemon:
        assert daemon.status == 1 and f"{tmp_path}/nowhere/db" in daemon.errors
    assert not (tmp_path / "pid").exists()


def test_options_may_be_in_a_file_and_the_command_line_wins(tmp_path):
    (tmp_path / "conf").write_text(f"# vnetd\nstore = sqlite:{tmp_path}/db\nopenflow = ptcp:0:127.0.0.1\novsdb=ptcp:0:127.0.0.1\n"
                                   f"api = punix:{tmp_path}/one\napi = punix:{tmp_path}/two # both\nlog-file = {tmp_path}/log\n")
    with Background(tmp_path, f"--config={tmp_path}/conf") as daemon:
        assert daemon.status == 0, daemon.errors
        assert serves(f"{tmp_path}/one") and serves(f"{tmp_path}/two")
    with Background(tmp_path, f"--config={tmp_path}/conf", f"--api=punix:{tmp_path}/three") as daemon:
        assert daemon.status == 0 and serves(f"{tmp_path}/three") and not serves(f"{tmp_path}/one")


@pytest.mark.parametrize("line,words", [("nosuch = 1", "nosuch"), ("store", "store"), ("openflow = tcp:192.0.2.1", "tcp:192.0.2.1"), ("detach = yes", "detach")])
def test_what_is_wrong_in_the_file_is_one_line_that_names_it(tmp_path, line, words):
    (tmp_path / "conf").write_text("\n" + line + "\n")
    status, output, errors = run(f"--config={tmp_path}/conf")
    assert (status, output, len(errors.splitlines())) == (1, "", 1) and words in errors and "conf:2" in errors, errors


@pytest.mark.parametrize("option,words", [
    ("--store=mysql:x", "--store=mysql:x"), ("--openflow=tcp:192.0.2.1", "--openflow: 'tcp:192.0.2.1'"), ("--ovsdb=ptcp:99999", "ptcp:99999"),
    ("--api=punix:", "punix:"), ("--advertise=x", "--advertise=x"), ("--nosuch", "--nosuch"), ("word", "word"), ("-vno:such", "-vno:such"),
    ("--config=/nonexistent", "/nonexistent"), ("--log-file=/nonexistent/log", "/nonexistent/log")])
def test_what_is_wrong_on_the_command_line_is_one_line_that_names_it(option, words):
    status, output, errors = run(option)
    assert (status, output, len(errors.splitlines())) == (1, "", 1) and words in errors, errors


def test_one_store_and_one_pid_file_have_one_vnetd(tmp_path):
    with Background(tmp_path, *listeners(tmp_path)):
        status, _, errors = run(*listeners(tmp_path), f"--api=punix:{tmp_path}/other")
        assert status == 1 and f"{tmp_path}/db" in errors and "in use" in errors
        status, _, errors = run(*listeners(tmp_path), f"--store=sqlite:{tmp_path}/db2", f"--pidfile={tmp_path}/pid")
        assert status == 1 and f"--pidfile={tmp_path}/pid" in errors
        assert serves(f"{tmp_path}/socket")


def test_files_left_by_one_that_was_killed_are_no_obstacle(tmp_path):
    with Background(tmp_path, *listeners(tmp_path)) as daemon:
        daemon.signal(9)
        wait_until(lambda: not is_alive(daemon.pid), 10, "vnetd is dead")
    assert (tmp_path / "pid").exists() and (tmp_path / "socket").exists()
    with Background(tmp_path, *listeners(tmp_path)) as daemon:
        assert daemon.status == 0 and serves(f"{tmp_path}/socket")


def test_a_log_that_was_moved_away_is_begun_anew_on_sighup(tmp_path):
    with Background(tmp_path, *listeners(tmp_path), f"--log-file={tmp_path}/log", "-vapi:file:dbg") as daemon:
        os.rename(tmp_path / "log", tmp_path / "log.1")
        daemon.signal(1)
        wait_until((tmp_path / "log").exists, 10, "a new log")
        assert serves(f"{tmp_path}/socket")
        wait_until(lambda: "|api|DBG|" in (tmp_path / "log").read_text(), 10, "debug lines of the module asked for")
        assert "|store|DBG|" not in (tmp_path / "log").read_text()


def test_vnetctl_finds_it_by_the_environment(tmp_path):
    with Background(tmp_path, *listeners(tmp_path)):
        environment = {**os.environ, "VNET_SERVER": f"unix:{tmp_path}/socket", "VNET_TENANT": "red"}
        subprocess.run([VNETCTL, "tenant-add", "red"], env=environment, check=True)
        subprocess.run([VNETCTL, "vpc-add", "v", "10.0.0.0/16"], env=environment, check=True)
        listed = subprocess.run([VNETCTL, "-A", "--no-headings", "--columns=tenant,name", "list", "vpc"], env=environment, check=True,
                                capture_output=True, text=True).stdout
        assert listed.split() == ["red", "v"]


def test_it_says_its_version():
    for program in (VNETD, VNETCTL):
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith(os.path.basename(program))
