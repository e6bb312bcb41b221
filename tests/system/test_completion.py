"""bash completion as bash runs it: commands, options, and what the daemon has."""
import os
import shlex
import subprocess

import pytest

from lab.daemon import Ctl
from plain import Daemon

SCRIPT = os.path.join(os.path.dirname(__file__), "../../tools/vnetctl/vnetctl.bash")
# As readline does it: the function that `complete` has registered, with the line, the cursor, and the words as COMP_WORDBREAKS breaks them.
ASK = r"""
source {script}
COMP_LINE={line} COMP_POINT=${{#COMP_LINE}} COMP_TYPE=9 COMP_KEY=9
mapfile -t COMP_WORDS < <(grep -o '[=:]\|[^=: ]\+' <<<"$COMP_LINE")
[[ $COMP_LINE == *[=:\ ] ]] && COMP_WORDS+=('')
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE+={rest}
spec=$(complete -p vnetctl) || exit
function=${{spec#*-F }} function=${{function%% *}}
"$function" vnetctl "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
printf '%s\n' "${{COMPREPLY[@]}}"
"""


def complete(line, server, rest=""):
    """What bash offers at the end of this line, with the cursor before the rest; like readline's, without repetitions."""
    environment = {**os.environ, "PATH": f"{os.path.dirname(Ctl(server).program)}:{os.environ['PATH']}", "VNET_SERVER": server}
    done = subprocess.run(["bash", "--norc", "-c", ASK.format(script=shlex.quote(SCRIPT), line=shlex.quote(line), rest=shlex.quote(rest))], env=environment,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done
    return sorted(set(filter(None, done.stdout.splitlines())))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("vnetd")) as daemon:
        daemon.ctl("tenant-add", "acme")
        daemon.ctl("vpc-add", "net", "10.0.0.0/16", "--", "vpc-add", "lan", "10.1.0.0/16", "--", "subnet-add", "net", "web", "10.0.1.0/24", "--",
                   "subnet-add", "net", "db", "10.0.2.0/24", "--", "port-add", "web", "w1", "--", "port-add", "web", "w2", "--",
                   "sg-add", "net", "front", "--", "lb-add", "web", "lb1", "--", "rtb-add", "net", "table", "--",
                   "route-add", "table", "192.0.2.0/24", "blackhole", "--", "route-add", "net", "198.51.100.0/24", "blackhole")
        daemon.ctl.as_tenant("acme")("vpc-add", "theirs", "10.0.0.0/16", "--", "subnet-add", "theirs", "inner", "10.0.1.0/24")
        yield daemon.ctl.server


@pytest.mark.parametrize("line,offered", [
    ("vnetctl vpc-", ["vpc-add", "vpc-del", "vpc-list"]),
    ("vnetctl --if-exists subnet-d", ["subnet-del"]),
    ("vnetctl vpc-list -- route-", ["route-add", "route-del", "route-list"]),
    ("vnetctl pki ", ["client", "host", "init"]),
    ("vnetctl --dry", ["--dry-run"]),
    ("vnetctl --format=", ["csv", "json", "list", "table"]),
    ("vnetctl -f j", ["json"]),
    ("vnetctl --wait=h", ["hosts"]),
    ("vnetctl sg-rule-add front in", ["ingress"]),
    ("vnetctl find por", ["port"]),
])
def test_words_of_the_language(server, line, offered):
    assert complete(line, server) == offered


@pytest.mark.parametrize("line,offered", [
    ("vnetctl vpc-del ", ["lan", "net"]),
    ("vnetctl subnet-add l", ["lan"]),
    ("vnetctl port-list w", ["web"]),
    ("vnetctl get port ", ["w1", "w2"]),
    ("vnetctl get vpc net c", ["cidr", "created"]),
    ("vnetctl port-add web new sg=", ["front", "lan", "net", "none"]),
    ("vnetctl set port w1 source_dest_check=", ["false", "true"]),
    ("vnetctl set port w1 source_d", ["source_dest_check="]),
    ("vnetctl eip-attach 203.0.113.1 lb:", ["lb1"]),
    ("vnetctl route-add net 0.0.0.0/0 port:w", ["w1", "w2"]),
    ("vnetctl --tenant=acme port-list ", ["inner"]),
    ("vnetctl -t acme vpc-del ", ["theirs"]),
    ("vnetctl --tenant=", ["acme", "default"]),
])
def test_names_and_columns_are_the_daemons(server, line, offered):
    assert complete(line, server) == offered


def test_without_a_daemon_there_are_commands_and_no_names(tmp_path):
    nowhere = f"unix:{tmp_path}/socket"
    assert complete("vnetctl vpc-", nowhere) == ["vpc-add", "vpc-del", "vpc-list"]
    assert complete("vnetctl vpc-del ", nowhere) == []


def test_a_new_objects_name_is_not_offered(server):
    assert complete("vnetctl vpc-add ", server) == []


def test_prefixes_of_the_table_that_is_named(server):
    assert complete("vnetctl route-del table ", server) == ["192.0.2.0/24"]
    assert complete("vnetctl route-del net ", server) == ["198.51.100.0/24"]
    assert complete("vnetctl route-add table ", server) == []


@pytest.mark.parametrize("line,rest,offered", [
    ("vnetctl --columns=gat", " subnet-list", ["gateway"]), ("vnetctl --columns=cid", " list vpc", ["cidr"]),
    ("vnetctl --columns=cid", " list port", []), ("vnetctl --columns=name,st", " find port", ["name,state"]),
    ("vnetctl --columns=name,st", " -A port-list", ["name,state"]), ("vnetctl --columns gat", " subnet-list", ["gateway"]),
    ("vnetctl --columns=weig", "", ["weight"]),
])
def test_columns_of_what_is_listed(server, line, rest, offered):
    assert complete(line, server, rest) == offered


@pytest.mark.parametrize("line,offered", [
    ("vnetctl find port state=", ["active", "building", "error", "unbound"]), ("vnetctl wait-until port w1 state=a", ["active"]),
    ("vnetctl find instance state=p", ["paused"]), ("vnetctl find target health=d", ["draining"]),
    ("vnetctl find host connected=", ["false", "true"]),
])
def test_words_that_are_observed(server, line, offered):
    assert complete(line, server) == offered
