"""vnetd on the network node, and everyone who talks to it: vnetctl, plain HTTP."""
import http.client
import json
import os
import re
import socket
import subprocess
import urllib.parse

from lab import underlay
from lab.procs import LabError, wait_until

OPENFLOW_PORT, OVSDB_PORT, API_PORT = 6653, 6640, 6680
SANITIZER_WORDS = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:|Assertion .* failed|SUMMARY: \w+Sanitizer")


def build_folder():
    """Where vnetd and vnetctl are: $VNET_BUILD, or the sanitized build, or the release build of this tree."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for folder in filter(None, [os.environ.get("VNET_BUILD"), os.path.join(top, "build-asan"), os.path.join(top, "build")]):
        if os.access(os.path.join(folder, "bin", "vnetd"), os.X_OK):
            return folder
    raise LabError("vnetd is not built; run ./dev build, or say where it is: VNET_BUILD=FOLDER")


class Vnetd:
    """The daemon as a process of the node. kill() and start() may follow each other as often as wished."""

    def __init__(self, node, tls, pki_folder, options=()):
        self.node, self.tls, self.pki_folder, self.options = node, tls, pki_folder, list(options)
        self.program = os.path.join(build_folder(), "bin", "vnetd")
        self.socket, self.store, self.log = node.path("vnetd.sock"), node.path("vnet.db"), node.path("vnetd.log")
        self._number = None

    def arguments(self):
        scheme = "pssl" if self.tls else "ptcp"
        ip = underlay.NODE_IP
        listed = [f"--store=sqlite:{self.store}", f"--openflow={scheme}:{OPENFLOW_PORT}:{ip}", f"--ovsdb={scheme}:{OVSDB_PORT}:{ip}",
                  f"--api=punix:{self.socket}", f"--log-file={self.log}"]
        if self.tls:
            listed += [f"--api=pssl:{API_PORT}:{ip}", "-p", f"{self.pki_folder}/vnetd-key.pem", "-c", f"{self.pki_folder}/vnetd-cert.pem",
                       "-C", f"{self.pki_folder}/ca.pem"]
        return listed + self.options

    def start(self, seconds=20):
        self.launch()
        wait_until(self.answers, seconds, f"vnetd serves (log: {self.log})")

    def launch(self):
        """Starts it without waiting until it serves."""
        self._number = self.node.agent.call("spawn", argv=[self.program, *self.arguments()], log=self.node.path("vnetd.out"),
                                            env={"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"})

    def answers(self):
        if self.status() is not None:
            raise LabError(f"vnetd ended with status {self.status()}: {self.last_words()}")
        try:
            return self.http("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def status(self):
        """None while it runs, else its exit status (negative: the signal)."""
        return self.node.agent.call("poll", number=self._number)

    def pid(self):
        """As the node numbers it."""
        return self.node.agent.call("process_id", number=self._number)

    def signal(self, name):
        self.node.agent.call("kill", number=self._number, name=name)

    def kill(self, name="KILL"):
        """Returns the exit status once it is gone."""
        self.signal(name)
        status = self.node.agent.call("wait", number=self._number, timeout=20)
        if status is None:
            raise LabError(f"vnetd did not end within 20 s of SIG{name}: {self.last_words()}")
        return status

    def restart(self):
        self.kill("TERM")
        self.start()

    def last_words(self, n_lines=30):
        text = ""
        for path in (self.log, self.node.path("vnetd.out")):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    text += "\n".join(f.read().splitlines()[-n_lines:]) + "\n"
        return text.strip()

    def log_end(self):
        """Where its log ends now, for words_since()."""
        return os.path.getsize(self.log)

    def words_since(self, end):
        """What it has logged since log_end() was asked."""
        with open(self.log, "rb") as f:
            f.seek(end)
            return f.read().decode(errors="replace")

    def complaints(self):
        """Lines in which a sanitizer or an assertion speaks."""
        path = self.node.path("vnetd.out")
        if not os.path.exists(path):
            return []
        with open(path, errors="replace") as f:
            return [line.strip() for line in f if SANITIZER_WORDS.search(line)]

    def rows(self, kind, tenant=None, **parameters):
        """All objects of a kind, without a process: what waits in a loop asks so. tenant None: of all tenants."""
        parameters = {**parameters, **({"tenant": tenant} if tenant else {"all_tenants": 1})}
        path, found = f"/v1/{kind}?{urllib.parse.urlencode(parameters)}", []
        while path:
            status, text, headers = self.request("GET", path)
            if status != 200:
                raise LabError(f"GET {path}: {status} {text}")
            found += json.loads(text)
            more = re.match(r'<([^>]+)>; *rel="next"', headers.get("Link") or "")
            path = more and more[1]
        return found

    def http(self, method, path, body=None, headers=None, timeout=30):
        """(status, text) over the unix socket. body: anything JSON, or bytes as they are."""
        return self.request(method, path, body, headers, timeout)[:2]

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = UnixConnection(self.socket, timeout)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), answer.headers
        except http.client.HTTPException as e:
            raise ConnectionError(f"no proper answer: {e!r}") from e
        finally:
            connection.close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class CtlError(LabError):
    """vnetctl ended with another status than 0."""

    def __init__(self, arguments, status, output, errors):
        super().__init__(f"vnetctl {' '.join(arguments)[:300]}: status {status}: {errors.strip() or output.strip()}")
        self.status, self.output, self.errors = status, output, errors


class Ctl:
    """vnetctl as a function: ctl("vpc-add", "v", "10.0.0.0/16"), ctl.list("port"), ctl.get("port", "web1", "ip")."""

    is_under_test = False                        # else $VNETCTL may name a quicker one: a sanitized program's start takes longer than all else it does

    def __init__(self, server, tenant=None, options=()):
        self.server, self.tenant, self.options = server, tenant, list(options)
        quicker = None if self.is_under_test else os.environ.get("VNETCTL")
        self.program = quicker or os.path.join(build_folder(), "bin", "vnetctl")

    def as_tenant(self, tenant):
        return Ctl(self.server, tenant, self.options)

    def command(self, arguments):
        tenant = [f"--tenant={self.tenant}"] if self.tenant else []
        return [self.program, f"--server={self.server}", *self.options, *tenant, *[str(a) for a in arguments]]

    def run(self, *arguments, stdin=None, timeout=90):
        """(status, output, errors), whatever they are."""
        env = {**os.environ, "ASAN_OPTIONS": f"detect_leaks={int(self.is_under_test)}"}
        done = subprocess.run(self.command(arguments), input=stdin, capture_output=True, text=True, timeout=timeout, env=env)
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *arguments, stdin=None, timeout=90):
        status, output, errors = self.run(*arguments, stdin=stdin, timeout=timeout)
        if status != 0:
            raise CtlError([str(a) for a in arguments], status, output, errors)
        return output.strip()

    def batch(self, lines, *options):
        """All lines as one transaction; lines: strings."""
        return self(*options, "--batch=-", stdin="\n".join(lines) + "\n")

    def json(self, *arguments):
        return json.loads(self("-f", "json", *arguments))

    def list(self, kind, *names):
        return self.json("list", kind, *names)

    def find(self, kind, **columns):
        return self.json("find", kind, *[f"{k}={v}" for k, v in columns.items()])

    def get(self, kind, name, column):
        return self("get", kind, name, column)

    def verify(self, *hosts):
        """(status, output) of verify: 0 none, 1 differences, 65 could not be checked."""
        status, output, errors = self.run("verify", *hosts)
        return status, output + errors
