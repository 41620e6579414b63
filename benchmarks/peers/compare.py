#!/usr/bin/env python3
"""Times Unroll's CPU backend beside other software, on this machine, in one run.

Every program runs in a process of its own, one after the other, in several passes; each side
counts with its best setting and its best pass. See README.md.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys

import parts
import peers as programs
import report
from runs import Run

CELLS = tuple(parts.CELLS)
MODES = tuple(parts.MODES)
PEERS = ("unroll", "torch", "onnxruntime", "djl", "dl4j", "numpy")
PARTS = ("layers", "steps", "classic", "memory", "start", "sweeps", "variants")
# The variants have no time within the budget of the rest.
USUAL = PARTS[:-1]
TOLERANCE = 1e-3


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def choices(name, allowed, default, text, separator=","):
        parser.add_argument(name, type=lambda value: chosen(value, allowed, separator),
                            default=default, metavar=separator.join(("A", "B")), help=text)

    choices("--cells", CELLS, CELLS, "of " + " ".join(CELLS))
    choices("--modes", MODES, MODES, "of " + " ".join(MODES))
    choices("--peers", PEERS, PEERS, "of " + " ".join(PEERS))
    choices("--parts", PARTS, None, "of " + " ".join(PARTS) + "; default all but variants")
    parser.add_argument("--shapes", default=None, metavar="T,B,I,H;T,B,I,H",
                        help="of the layers; default those of the sets main and awkward of"
                        " benchmarks/grid.txt, as far as a CPU has time for them")
    parser.add_argument("--passes", type=int, help="default 2, with --quick 1")
    parser.add_argument("--seconds", type=float,
                        help="timed in each case; default 0.2, with --quick 0.1")
    parser.add_argument("--budget", type=float, metavar="MINUTES",
                        help="no longer than that from the moment that all is built, 0 for as long as it"
                        " takes; default 14")
    parser.add_argument("--quick", action="store_true",
                        help="one pass, fewer shapes, no sizes that grow: a look, not a result")
    parser.add_argument("--only-unroll", action="store_true",
                        help="layers of Unroll alone; the table goes to the terminal")
    parser.add_argument("--threads", type=int, help="of Unroll; default both 2 and 1")
    parser.add_argument("--jvm", default="", help="further flags for Unroll's java")
    parser.add_argument("--rebuild", action="store_true", help="build Unroll even if unchanged")
    parser.add_argument("--patience", type=float, default=0, metavar="S",
                        help="wait this long before each child while others use the machine")
    parser.add_argument("--retries", type=int, default=0, metavar="N",
                        help="run again what others have disturbed, up to so many times")
    parser.add_argument("--peers-from", metavar="FILE",
                        help="take the peers' lines from the .jsonl of an earlier run")
    parser.add_argument("--publish", action="store_true",
                        help="put the lines into benchmarks/results/data and make the pages anew")
    parser.add_argument("--out", metavar="FILE",
                        help="the report; default target/report.md, and .jsonl beside it")
    options = parser.parse_args(arguments)
    settle(options)
    return options


def chosen(value, allowed, separator):
    parts = tuple(value.split(separator))
    for part in parts:
        if part not in allowed:
            raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(allowed)}")
    return parts


def settle(options):
    if options.shapes is not None:
        options.shapes = tuple(shape.strip() for shape in options.shapes.split(";"))
        for shape in options.shapes:
            if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*){3}", shape):
                raise SystemExit(f"--shapes: {shape!r} is not T,B,I,H, such as 64,1,128,128")
    if options.publish and (options.quick or options.only_unroll or options.peers_from):
        raise SystemExit("--publish takes a whole run only; leave out --quick, --only-unroll and"
                         " --peers-from")
    options.passes = options.passes or (1 if options.quick else 2)
    options.seconds = options.seconds or (0.1 if options.quick else 0.2)
    options.budget = 14 if options.budget is None else options.budget
    if options.only_unroll or options.peers_from:
        options.peers = ("unroll",)
    if options.parts is None:
        options.parts = (("layers",) if options.only_unroll
                         else USUAL[:-1] if options.quick else USUAL)
    name = "unroll" if options.only_unroll else "report"
    options.out = options.out or os.path.join(programs.TARGET, name + ".md")


def build_all(run):
    """Those that can be had; what cannot is said aloud."""
    wanted = [peer for peer in programs.all_peers() if peer.key in run.options.peers]
    built = []
    for peer in wanted:
        flags = run.options.jvm.split()
        if run.options.threads and peer.key == "unroll":
            peer.settings = [programs.Setting(f"{run.options.threads}t", run.options.threads,
                                              always=True)]
        try:
            programs.build(peer, run.options.rebuild, flags)
            built.append(peer)
        except programs.Missing as reason:
            if peer.key == "unroll":
                raise SystemExit(f"Unroll cannot be built: {reason}") from None
            run.note(f"{peer.key} is left out: {reason}")
    return built


def check_agreement(run, built):
    """One short process each: it shows that a program runs at all and computes the same."""
    sums, good = {}, []
    for peer in built:
        tasks = ["config"]
        if peer.agrees:
            tasks += parts.agreement_tasks(run.options, peer)
        lines = run.child(peer, peer.settings[0], tasks)
        found = {(line["cell"], report.variant_of(line)): line for line in lines if line["kind"] == "agree"}
        if not any(line["kind"] == "config" for line in lines):
            if peer.key == "unroll":
                raise SystemExit("Unroll does not run; its message stands above")
            run.note(f"{peer.key} is left out: it does not run here")
            continue
        good.append(peer)
        for what, why in peer.lacks.items():
            run.add({"kind": "absent", "software": peer.software, "what": what, "why": why})
        if peer.key == "unroll":
            sums = found
        elif sums:
            compare_sums(peer.key, sums, found)
    return good


def compare_sums(key, expected, found):
    for (cell, variant), line in found.items():
        for name in ("y", "dx", "dwih", "dwhh", "dbih", "dbhh"):
            if name not in line:
                continue
            ours, theirs = expected[cell, variant][name], line[name]
            if not abs(ours - theirs) <= TOLERANCE * max(abs(ours), abs(theirs)):
                raise SystemExit(f"Unroll and {key} do not agree on {name} of {' '.join([cell, variant]).strip()}: the sums"
                                 f" are {ours:.5g} and {theirs:.5g}, with the same weights and"
                                 " inputs. One of them is wrong, and no time means anything.")


def environment(options):
    def said(*command):
        try:
            done = subprocess.run(command, cwd=programs.ROOT, capture_output=True, text=True)
            return (done.stdout or done.stderr).strip()
        except FileNotFoundError:
            return "unknown"

    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as info:
            fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", info.read(), re.M))
        cpu = (f"{fields.get('model name', cpu)} (family {fields.get('cpu family', '?')}, model"
               f" {fields.get('model', '?')})")
    dirty = " with changes" if said("git", "status", "--porcelain", "-uno") else ""
    return {
        "kind": "environment",
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "jdk": said("java", "-version").splitlines()[0],
        "commit": said("git", "rev-parse", "--short", "HEAD") + dirty,
        "date": datetime.date.today().isoformat(),
        "command": "benchmarks/peers/compare.py " + " ".join(sys.argv[1:]),
        "scheduling": scheduling(),
        "passes": options.passes,
        "seconds": options.seconds,
        "budget": options.budget,
        "quick": options.quick,
    }


def scheduling():
    """How the system lets this program and its children run, such as after chrt -f 10."""
    if not hasattr(os, "sched_getscheduler"):
        return "unknown"
    real_time = {os.SCHED_FIFO: "FIFO", os.SCHED_RR: "round robin"}.get(os.sched_getscheduler(0))
    if real_time is None:
        return f"time-shared, nice {os.nice(0)}"
    return f"real time, {real_time}, priority {os.sched_getparam(0).sched_priority}"


def publish(run):
    """Keeps the lines of a run in the project and makes the pages from them."""
    name = datetime.datetime.now().strftime("%Y-%m-%d-%H%M-cpu")
    script = os.path.join(programs.ROOT, "benchmarks", "results.py")
    subprocess.run([sys.executable, script, "--add", name, run.log], check=True)


def measure(run, built):
    """All parts. The passes come one behind the other, so that a case is timed again minutes later; what the budget may
    have no time for comes last."""
    last = {}
    for n in range(run.options.passes):
        for name, part in (("layers", parts.layers), ("steps", parts.steps), ("classic", parts.classic)):
            if name in run.options.parts:
                part(run, built, last)
        for name, part in (("memory", parts.memory), ("start", parts.start)):
            if n == 0 and name in run.options.parts:
                part(run, built)
    if "sweeps" in run.options.parts:
        parts.sweeps(run, built)
    if "variants" in run.options.parts:
        parts.variants(run, built)
    run.tell_left_out()


def main():
    options = parse(sys.argv[1:])
    os.makedirs(programs.TARGET, exist_ok=True)
    where = environment(options)
    if options.publish and where["commit"].endswith("with changes"):
        raise SystemExit("--publish needs a commit to name, but there are changes: commit them first")
    run = Run(options)
    run.add(where)
    built = build_all(run)
    if options.peers_from:
        with open(options.peers_from) as earlier:
            for line in map(json.loads, earlier):
                if line.get("software") not in (None, "Unroll", "fma_peak"):
                    run.add(line)
        run.note(f"the peers' figures are those of an earlier run, {options.peers_from}")
    run.begin()
    good = check_agreement(run, built)
    has_peak = parts.peak(run)
    measure(run, good)
    if has_peak:
        parts.peak(run)
    run.add({"kind": "took", "minutes": round(run.minutes(), 1)})
    text = report.markdown(run.lines, run.notes)
    with open(options.out, "w") as out:
        out.write(text)
    if options.publish:
        publish(run)
    print(text if options.only_unroll or options.quick else f"the report is in {options.out}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
