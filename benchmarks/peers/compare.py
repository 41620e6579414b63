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
import resource
import shutil
import subprocess
import sys
import time

import peers as programs
import report

SHAPES = ("25,1,80,100", "64,1,128,128", "64,1,512,512", "128,32,128,128", "128,32,256,256",
          "256,16,256,256", "64,32,512,512", "64,64,1024,1024")
QUICK_SHAPES = ("25,1,80,100", "64,1,128,128", "64,1,512,512", "128,32,128,128",
                "64,32,512,512")
CELLS = ("rnn", "gru", "lstm")
MODES = ("infer", "train")
PEERS = ("unroll", "torch", "onnxruntime", "djl", "dl4j", "numpy")
PARTS = ("layers", "char", "classic", "memory", "start")
MEMORY_CASE = "layer:lstm:64,32,512,512:train"
TOLERANCE = 1e-3
CHILD_LIMIT = 1800


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def choices(name, allowed, default, text, separator=","):
        parser.add_argument(name, type=lambda value: chosen(value, allowed, separator),
                            default=default, metavar=separator.join(("A", "B")), help=text)

    choices("--cells", CELLS, CELLS, "of " + " ".join(CELLS))
    choices("--modes", MODES, MODES, "of " + " ".join(MODES))
    choices("--peers", PEERS, PEERS, "of " + " ".join(PEERS))
    choices("--parts", PARTS, None, "of " + " ".join(PARTS) + "; default all")
    parser.add_argument("--shapes", default=None, metavar="T,B,I,H;T,B,I,H",
                        help="default " + ";".join(SHAPES))
    parser.add_argument("--passes", type=int, help="default 3")
    parser.add_argument("--seconds", type=float, help="timed in each case; default 1")
    parser.add_argument("--quick", action="store_true",
                        help="one pass, 0.3 s a case, fewer shapes: a look, not a result")
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
    else:
        options.shapes = QUICK_SHAPES if options.quick else SHAPES
    if options.publish and (options.quick or options.only_unroll or options.peers_from):
        raise SystemExit("--publish takes a whole run only; leave out --quick, --only-unroll and"
                         " --peers-from")
    options.passes = options.passes or (1 if options.quick else 3)
    options.seconds = options.seconds or (0.3 if options.quick else 1)
    if options.only_unroll or options.peers_from:
        options.peers = ("unroll",)
    if options.parts is None:
        options.parts = ("layers",) if options.only_unroll else PARTS
    name = "unroll" if options.only_unroll else "report"
    options.out = options.out or os.path.join(programs.TARGET, name + ".md")


class Run:
    def __init__(self, options):
        self.options = options
        self.lines = []
        self.notes = []
        self.failures = 0
        self.log = os.path.splitext(options.out)[0] + ".jsonl"
        os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
        open(self.log, "w").close()

    def note(self, text):
        print("! " + text, file=sys.stderr)
        self.notes.append(text)
        self.add({"kind": "note", "text": text})

    def add(self, line):
        self.lines.append(line)
        with open(self.log, "a") as out:
            out.write(json.dumps(line) + "\n")

    def child(self, peer, setting, tasks, quiet=False, layers_as="layer"):
        """Runs tasks in a new process; returns the lines that it printed."""
        options = self.options
        wait_for_others(options.patience)
        arguments = ["--seconds", str(options.seconds)]
        if options.quick:
            arguments += ["--warm-limit", "1.5", "--runs", "3", "--case-limit", "15"]
        command = peer.command(setting, arguments + tasks)
        if not quiet:
            print(f"{peer.key} ({setting.name}): {' '.join(tasks)}", file=sys.stderr)
        lines = self.execute(command, peer.environment(setting), f"{peer.key} ({setting.name})")
        for line in lines:
            if line["kind"] == "layer":
                line["kind"] = layers_as
            self.add(line)
            if line["kind"] == "error":
                self.failures += 1
                self.note(f"{peer.key} ({setting.name}) {line['task']}: {line['message']}")
        return lines

    def execute(self, command, env, who):
        try:
            done = subprocess.run(command, env=env, cwd=programs.TARGET, text=True,
                                  capture_output=True, timeout=CHILD_LIMIT)
        except subprocess.TimeoutExpired:
            self.failures += 1
            self.note(f"{who} was stopped after {CHILD_LIMIT} s")
            return []
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 and not any(line["kind"] == "error" for line in lines):
            self.failures += 1
            tail = " | ".join(done.stderr.strip().splitlines()[-4:])
            self.note(f"{who} ended with {done.returncode}: {tail}")
        return lines


def busy_seconds():
    """Seconds that the cores were busy since the machine started; 0 where nobody counts them."""
    if not os.path.exists("/proc/stat"):
        return 0
    with open("/proc/stat") as stat:
        user, nice, system, _, _, *others = (int(word) for word in stat.readline().split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_cores(seconds):
    before = busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / seconds


def wait_for_others(patience):
    end = time.monotonic() + patience
    while patience > 0 and busy_cores(0.5) > 0.1 and time.monotonic() < end:
        time.sleep(1)


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
            tasks += [f"agree:{cell}" for cell in run.options.cells]
        lines = run.child(peer, peer.settings[0], tasks, quiet=True)
        found = {line["cell"]: line for line in lines if line["kind"] == "agree"}
        if not any(line["kind"] == "config" for line in lines):
            if peer.key == "unroll":
                raise SystemExit("Unroll does not run; its message stands above")
            run.note(f"{peer.key} is left out: it does not run here")
            continue
        good.append(peer)
        if peer.key == "unroll":
            sums = found
        elif sums:
            compare_sums(peer.key, sums, found)
    return good


def compare_sums(key, expected, found):
    for cell, line in found.items():
        for name in ("y", "dx", "dwih", "dwhh", "dbih", "dbhh"):
            if name not in line:
                continue
            ours, theirs = expected[cell][name], line[name]
            if not abs(ours - theirs) <= TOLERANCE * max(abs(ours), abs(theirs)):
                raise SystemExit(f"Unroll and {key} do not agree on {name} of {cell}: the sums"
                                 f" are {ours:.5g} and {theirs:.5g}, with the same weights and"
                                 " inputs. One of them is wrong, and no time means anything.")


def time_layers(run, built):
    options = run.options
    turns = programs.in_turn(built)
    for n in range(options.passes):
        for cell in options.cells:
            for peer, setting in turns:
                tasks = [f"layer:{cell}:{shape}:{mode}"
                         for shape in options.shapes for mode in options.modes
                         if peer.takes(setting, cell, shape, mode)]
                time_undisturbed(run, peer, setting, tasks)


def time_undisturbed(run, peer, setting, tasks):
    for _ in range(1 + run.options.retries):
        if not tasks:
            return
        lines = run.child(peer, setting, tasks)
        tasks = [":".join(("layer", line["cell"], report.shape_of(line), line["mode"]))
                 for line in lines if line.get("others", 0) > report.DISTURBED]


def time_char(run, built):
    for _ in range(run.options.passes):
        for peer, setting in programs.in_turn([peer for peer in built if peer.variants]):
            if setting.threads == 1 and len(peer.settings) > 1 and not setting.always:
                continue
            tasks = [":".join(filter(None, ("char", cell, variant)))
                     for cell in run.options.cells for variant in peer.variants]
            run.child(peer, setting, tasks)


def time_classic(run, built):
    for _ in range(run.options.passes):
        for peer in built:
            if peer.key == "unroll":
                for setting in peer.settings:
                    run.child(peer, setting, ["classic"])
        if "numpy" in run.options.peers:
            time_numpy(run)


def time_numpy(run):
    wait_for_others(run.options.patience)
    script = os.path.join(programs.HERE, "numpy_char_rnn.py")
    env = {k: v for k, v in os.environ.items() if k not in programs.UNSET}
    env["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, script, "--seconds", str(run.options.seconds)]
    begun, busy, own = time.monotonic(), busy_seconds(), children_seconds()
    lines = run.execute(command, env, "numpy")
    others = busy_seconds() - busy - (children_seconds() - own)
    for line in lines:
        run.add({**line, "others": round(max(0, others) / (time.monotonic() - begun), 3)})


def measure_memory(run, built):
    for peer, setting in programs.in_turn(built):
        _, cell, shape, mode = MEMORY_CASE.split(":")
        if setting is peer.settings[0] and peer.takes(setting, cell, shape, mode):
            run.child(peer, setting, [MEMORY_CASE], layers_as="memory")


def measure_start(run, built):
    for peer in built:
        if peer.key != "unroll":
            continue
        classpath = os.pathsep.join(peer.classpath)
        command = ["java", *peer.flags, "-cp", classpath, "io.unroll.peers.unroll.FirstResult"]
        best = float("inf")
        for _ in range(5):
            wait_for_others(run.options.patience)
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best = min(best, time.perf_counter() - begun)
        run.add({"kind": "start", "software": "Unroll", "seconds": round(best, 3)})


def measure_peak(run):
    source = os.path.join(programs.HERE, "fma_peak.cpp")
    binary = os.path.join(programs.TARGET, "fma_peak")
    if shutil.which("g++") is None:
        run.note("no g++ here: the report has no peak to compare with")
        return False
    if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
        subprocess.run(["g++", "-O3", "-march=native", "-ffp-contract=fast", "-pthread", source,
                        "-o", binary], check=True)
    for threads in (1, 2):
        wait_for_others(run.options.patience)
        done = subprocess.run([binary, str(threads)], check=True, capture_output=True, text=True)
        run.add({"kind": "peak", "software": "fma_peak", **json.loads(done.stdout)})
    return True


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
    good = check_agreement(run, built)
    has_peak = measure_peak(run)
    if "layers" in options.parts:
        time_layers(run, good)
    if "char" in options.parts:
        time_char(run, good)
    if "classic" in options.parts:
        time_classic(run, good)
    if "memory" in options.parts:
        measure_memory(run, good)
    if "start" in options.parts:
        measure_start(run, good)
    if has_peak:
        measure_peak(run)
    text = report.markdown(run.lines, run.notes)
    with open(options.out, "w") as out:
        out.write(text)
    if options.publish:
        publish(run)
    print(text if options.only_unroll or options.quick else f"the report is in {options.out}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
