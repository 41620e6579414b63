#!/usr/bin/env python3
"""Runs the JMH suites over cases of grid.txt: a process of JMH for each, what it is given besides goes to it.

usage: benchmarks/jmh_grid.py BACKEND SETS [JMH'S ARGUMENTS...]    such as cpu quick -f 1 -wi 2 -i 3

SETS are names of sets with commas between them, or all. A case in an own precision of the grid is left out, because
JMH's backends compute in their default.
"""

import os
import subprocess
import sys

import grid

HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = {"forward": "RecurrentBenchmark.forward", "train": "RecurrentBenchmark.train", "step": "CharRnnBenchmark.step"}


def parameters(case, backend):
    found = {"backend": backend, "cell": case.cell, "shape": "x".join(map(str, case.shape)), "layers": case.layers}
    if case.mode == "step":
        return {**found, "embedding": 0}
    return {**found, "direction": case.direction, "lengths": case.lengths}


def command(case, backend, more):
    given = [word for name, value in parameters(case, backend).items() for word in ("-p", f"{name}={value}")]
    jar = os.path.join(HERE, "target", "benchmarks.jar")
    return ["java", "-jar", jar, SUITES[case.mode] + "$", "-foe", "true", *given, *more]


def main(arguments):
    if len(arguments) < 2:
        raise SystemExit(__doc__.split("\n\n")[1])
    backend, sets, *more = arguments
    try:
        cases = grid.read(os.path.join(HERE, "grid.txt"), () if sets == "all" else sets.split(","))
    except grid.BadGrid as failure:
        raise SystemExit(str(failure)) from None
    failed = [case for case in cases if not case.precisions
              and subprocess.run(command(case, backend, more)).returncode != 0]
    if failed:
        raise SystemExit("failed: " + "; ".join(f"{case.cell} {grid.words(case)} {case.mode}" for case in failed))


if __name__ == "__main__":
    main(sys.argv[1:])
