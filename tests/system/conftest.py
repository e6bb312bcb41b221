"""Each file has one lab of its own: a module says what it needs in LAB (arguments of lab.Lab). Root is needed.

A file fails too if vnetd dies where the test did not kill it, a sanitizer speaks, or it does not end cleanly on SIGTERM.
VNET_SEED=N repeats a random test; VNET_SOAK=1 makes the long ones longer; VNET_LAB_KEEP=1 leaves the lab's folder.
"""
import os
import random
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tools"), os.path.dirname(os.path.abspath(__file__))]

from lab import Lab                    # noqa: E402


@pytest.fixture(scope="module")
def lab(request):
    made = Lab(**getattr(request.module, "LAB", {}))
    request.config.vnet_lab = made
    try:
        yield made
        if made.vnetd:
            end_of_daemon(made.vnetd)
    finally:
        request.config.vnet_lab = None
        made.close()


def end_of_daemon(vnetd):
    status = vnetd.status()
    assert status is None, f"vnetd ended by itself with status {status}: {vnetd.last_words()}"
    assert vnetd.kill("TERM") == 0, f"vnetd on SIGTERM: {vnetd.last_words()}"
    assert not vnetd.complaints(), vnetd.last_words(60)


@pytest.fixture
def seed(request):
    number = int(os.environ.get("VNET_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"VNET_SEED={number}")
    return number


@pytest.fixture
def soak():
    return bool(os.environ.get("VNET_SOAK"))


def pytest_configure(config):
    config.vnet_told = []


@pytest.fixture
def tell(request):
    """tell("text"): what has been measured, printed at the end also when all went well."""
    return lambda text: request.config.vnet_told.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(terminalreporter, config):
    for line in config.vnet_told:
        terminalreporter.write_line("told: " + line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    made = getattr(item.config, "vnet_lab", None)
    if report.failed and made and made.vnetd:
        report.sections.append(("vnetd's last words", made.vnetd.last_words(40)))
        for host in made.hosts.values():
            if host.vnet_agent:
                report.sections.append((f"last words of the agent on {host.name}", host.vnet_agent.last_words(40)))
