"""What vnetctl(8) says of columns and commands is what there is: nothing is missing, nothing is made up."""
import json
import os
import re

import pytest

from plain import Daemon

MANUAL = os.path.join(os.path.dirname(__file__), "../../man/vnetctl.8")
NAME = re.compile(r"[a-z][a-z_]*")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("vnetd")) as running:
        yield running


@pytest.fixture(scope="module")
def schema(daemon):
    return {t["type"]: [c["name"] for c in t["columns"]] for t in json.loads(daemon.http("GET", "/v1/schema")[1])}


def section(title):
    with open(MANUAL) as f:
        return re.search(rf"^\.Sh {title}\n(.*?)^\.Sh ", f.read(), re.M | re.S)[1]


def words_of(lines):
    """What .Cm marks, in order. A line's other macros (Ns, Ar) end it."""
    for line in lines:
        marked = re.match(r"\.Cm (.*)", line)
        for word in re.split(r"\b(?:Ns|Ar|No|Pc)\b", marked[1])[0].split() if marked else []:
            if NAME.fullmatch(word):
                yield word


def documented():
    """type -> (columns, words that explain them: those between .Po and .Pc)."""
    found = {}
    for item in section("COLUMNS").split("\n.It ")[1:]:
        heading, *lines = item.split("\n.El")[0].split("\n")
        depth, columns, explaining = 0, [], []
        for line in lines:
            depth += len(re.findall(r"^\.Po\b", line))
            (explaining if depth else columns).append(line)
            depth -= len(re.findall(r"^\.Pc\b", line))
        found[heading.removeprefix("Cm ")] = (set(words_of(columns)), set(words_of(explaining)))
    return found


def test_each_types_columns_are_in_the_manual_and_no_others(schema):
    manual = documented()
    common = manual.pop("every type")[0]
    assert common == set(schema["vpc"][:5]), "columns of every type"
    assert set(manual) == set(schema), "types"
    for kind, (columns, explaining) in manual.items():
        there = set(schema[kind]) - common
        assert there <= columns | explaining, f"{kind}: the manual lacks {sorted(there - columns - explaining)}"
        assert columns <= there, f"{kind}: the manual has {sorted(columns - there)}, which is no column"


def test_each_command_is_in_the_manual_and_no_others(daemon):
    commands = {re.sub(r"^(\[--\S+\] )*", "", line).split()[0] for line in daemon.ctl("--commands").splitlines()}
    with open(MANUAL) as f:
        text = f.read()
    items = {word for line in re.findall(r"^\.It (.*)$", text, re.M) for word in re.findall(r"\bCm ([a-z][a-z-]*)(?= |$)", line)}
    assert commands <= items, f"the manual lacks {sorted(commands - items)}"
    made_up = {word for word in items if re.fullmatch(r"[a-z-]+-(add|del|list|show|set|attach|detach|allow|token)", word)} - commands
    assert not made_up, f"no command: {sorted(made_up)}"


def test_the_types_that_generic_commands_take_are_listed(schema):
    with open(MANUAL) as f:
        listed = re.search(r"^\.Cm (tenant , .*) \.$", f.read(), re.M)[1]
    assert set(listed.split(" , ")) == set(schema)
