"""Processes for the tests of what a crash leaves: one imports the program, and each is a fork of it."""

from multiprocessing import get_context

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["tests.flows.dying", "tests.torture.deliverer", "holidays.countries", "httpcore", "h11"]
)
