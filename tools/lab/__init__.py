"""A network laboratory on one machine: hypervisors with stock Open vSwitch, guests, an underlay, vnetd. See README.md."""
from lab.daemon import CtlError
from lab.lab import Lab
from lab.procs import LabError, wait_until

__all__ = ["CtlError", "Lab", "LabError", "wait_until"]
