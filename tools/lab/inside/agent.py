"""An agent: a small server in one network namespace that does there what the lab asks, over a unix socket.

It spares a process per probe: hundreds of pings take one request. One connection is one thread, so a stream of pings can run on
one while another flushes neighbours. A request is a line {"do": NAME, ...}; the answer {"ok": VALUE} or {"error": TEXT}.
Long activities (a stream of pings, a capture, a server, a process) are kept under a number and asked or ended by it.
"""
import itertools
import json
import os
import signal
import socket
import subprocess
import threading

from lab.inside import crowd, echo, frames, hops, load, neighbours, netif, oneway, packet_queues, probe, questions, streams, vlan


def listen(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    return server


def serve(server):
    actions = Actions()
    while True:
        client, _ = server.accept()
        threading.Thread(target=_converse, args=(client, actions), daemon=True).start()


def _converse(client, actions):
    with client, client.makefile("rw") as stream:
        for line in stream:
            request = json.loads(line)
            try:
                answer = {"ok": actions.perform(request.pop("do"), request)}
            except Exception as e:                 # whatever it is belongs to who asked
                answer = {"error": f"{type(e).__name__}: {e}"}
            try:
                stream.write(json.dumps(answer) + "\n")
                stream.flush()
            except BrokenPipeError:
                return


class Actions:
    def __init__(self):
        self._numbers = itertools.count(1)
        self._kept = {}

    def perform(self, name, arguments):
        return getattr(self, "do_" + name)(**arguments)

    def _keep(self, thing):
        number = next(self._numbers)
        self._kept[number] = thing
        return number

    # -- processes --

    def do_pid(self):
        return os.getpid()

    def do_run(self, argv, stdin=None, timeout=30, env=None):
        """Runs a command to its end: [exit status, output, errors]."""
        try:
            p = subprocess.run(argv, input=stdin, capture_output=True, text=True, errors="replace",
                               timeout=timeout, env={**os.environ, **(env or {})})
        except subprocess.TimeoutExpired as e:
            return [-1, (e.stdout or b"").decode(errors="replace"), f"{argv[0]}: no end within {timeout} s"]
        return [p.returncode, p.stdout, p.stderr]

    def do_spawn(self, argv, log, env=None):
        """Starts a process that lives until it ends or the lab does; its output goes to the file `log`."""
        with open(log, "ab") as out:
            return self._keep(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                               env={**os.environ, **(env or {})}, start_new_session=True))

    def do_poll(self, number):
        return self._kept[number].poll()

    def do_process_id(self, number):
        return self._kept[number].pid

    def do_wait(self, number, timeout):
        try:
            return self._kept[number].wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def do_kill(self, number, name="KILL"):
        self._kept[number].send_signal(getattr(signal, "SIG" + name))

    # -- the namespace's own interface --

    def do_configure(self, **arguments):
        netif.configure(**arguments)

    def do_widen_queues(self, **arguments):
        return packet_queues.widen(**arguments)

    def do_lost_in_queues(self, **arguments):
        return packet_queues.lost(**arguments)

    def do_make_vlan_leg(self, **arguments):
        self._keep(vlan.VlanLeg(**arguments))

    def do_flush_neighbours(self, device="eth0"):
        """All that is known; not what is just being asked for, with which the kernel would drop the packets that wait for it."""
        states = [word for state in ("reachable", "stale", "delay", "probe", "failed") for word in ("nud", state)]
        subprocess.run(["ip", "neigh", "flush", "dev", device, *states], check=True, capture_output=True)

    # -- probes --

    def do_ping(self, **arguments):
        return probe.ping(**arguments)

    def do_tcp_connect(self, **arguments):
        return probe.tcp_connect(**arguments)

    def do_tcp_send(self, **arguments):
        return streams.tcp_send(**arguments)

    def do_tcp_fetch(self, **arguments):
        return streams.tcp_fetch(**arguments)

    def do_udp_ask(self, **arguments):
        return probe.udp_ask(**arguments)

    def do_udp_connect(self, **arguments):
        return probe.udp_connect(**arguments)

    def do_udp_send(self, **arguments):
        probe.udp_send(**arguments)

    def do_exchange(self, **arguments):
        return echo.exchange(**arguments)

    def do_trace_route(self, **arguments):
        return hops.trace_route(**arguments)

    def do_arp_ask(self, **arguments):
        return neighbours.arp_ask(**arguments)

    def do_ask(self, **arguments):
        return questions.ask(**arguments)

    def do_start_answerer(self, **arguments):
        return self._keep(questions.Answerer(**arguments))

    def do_start_talker(self, **arguments):
        return self._keep(oneway.Talker(**arguments))

    def do_start_hearer(self, **arguments):
        return self._keep(oneway.Hearer(**arguments))

    def do_start_pour(self, **arguments):
        return self._keep(oneway.Pour(**arguments))

    def do_start_sink(self, **arguments):
        return self._keep(oneway.Sink(**arguments))

    def do_start_source(self, **arguments):
        return self._keep(oneway.Source(**arguments))

    def do_start_ping(self, **arguments):
        return self._keep(streams.PingStream(**arguments))

    def do_start_tcp_giver(self, **arguments):
        return self._keep(streams.TcpGiver(**arguments))

    def do_start_tcp_server(self, **arguments):
        return self._keep(streams.TcpServer(**arguments))

    def do_start_udp_server(self, **arguments):
        return self._keep(streams.UdpServer(**arguments))

    def do_start_echo(self, **arguments):
        return self._keep(echo.EchoServer(**arguments))

    def do_start_tcp_echo(self, **arguments):
        return self._keep(crowd.TcpEcho(**arguments))

    def do_start_crowd(self, **arguments):
        return self._keep(crowd.Crowd(**arguments))

    def do_start_chat(self, **arguments):
        return self._keep(crowd.Chat(**arguments))

    def do_start_requests(self, **arguments):
        return self._keep(load.Requests(**arguments))

    def do_start_crew(self, **arguments):
        return self._keep(load.Crew(**arguments))

    def do_start_capture(self, **arguments):
        return self._keep(frames.Capture(**arguments))

    def do_start_presence(self, **arguments):
        return self._keep(frames.Presence(**arguments))

    def do_start_census(self, **arguments):
        return self._keep(frames.Census(**arguments))

    def do_look(self, number):
        """What a stream, server or capture has seen so far."""
        return self._kept[number].look()

    def do_stop(self, number):
        return self._kept.pop(number).stop()

    def do_send_frames(self, **arguments):
        frames.send(**arguments)
