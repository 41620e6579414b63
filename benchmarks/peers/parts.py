"""What compare.py times: layers, whole steps, the classic char-rnn, memory, start, and sizes that grow,
and layers, directions and ragged rows."""

import json
import os
import shutil
import subprocess
import sys
import time

import peers as programs
import report
import runs

sys.path.append(os.path.dirname(programs.HERE))
import grid  # noqa: E402

GRID = os.path.join(os.path.dirname(programs.HERE), "grid.txt")
CELLS = {"rnn": "tanh", "gru": "gru", "lstm": "lstm"}
MODES = {"infer": "forward", "train": "train"}
# Beyond that, multiply-adds of a gate and forward, two cores would take minutes.
MOST_OPERATIONS = 1e10
SWEEPS = ("sweep-T", "sweep-B", "sweep-H")
SWEPT = ("unroll", "torch", "djl")
MEMORY_TASKS = ("layer:lstm:64,32,512,512:train", "char:lstm:2:64,64,96,512")
START_RUNS = 3


def shape_text(case):
    return ",".join(map(str, case.shape))


def cases(*sets):
    """Those of the grid that a CPU has time for."""
    known = {name for case in grid.read(GRID) for name in case.sets}
    found = grid.read(GRID, [name for name in sets if name in known])
    return [case for case in found if programs.operations(shape_text(case)) <= MOST_OPERATIONS]


def layer_tasks(options, cell):
    """[(task, shape, mode)] of one layer."""
    names = ("quick",) if options.quick else ("main", "awkward")
    wanted = options.shapes or list(dict.fromkeys(
        shape_text(case) for case in cases(*names) if case.mode != "step" and case.cell == CELLS[cell]))
    return [(f"layer:{cell}:{shape}:{mode}", shape, mode) for shape in wanted for mode in options.modes]


def sweep_tasks(options, cell):
    """The same for the sizes that grow, without what the run takes among the layers anyway."""
    known = {task for task, _, _ in layer_tasks(options, cell)} if "layers" in options.parts else ()
    found = dict.fromkeys(shape_text(case) for case in cases(*SWEEPS) if case.cell == CELLS[cell])
    return [(f"layer:{cell}:{shape}:train", shape, "train") for shape in found
            if f"layer:{cell}:{shape}:train" not in known]


def step_tasks(options):
    """[(task, cell, layers, shape)] of whole training steps."""
    found = cases("quick") if options.quick else cases("step")
    names = {own: cell for cell, own in CELLS.items()}
    return [(f"char:{names[case.cell]}:{case.layers}:{shape_text(case)}", names[case.cell], case.layers,
             shape_text(case)) for case in found
            if case.mode == "step" and names.get(case.cell) in options.cells]


def variant_tasks(options, cell):
    """[(task, shape, mode, the case of the grid)] of more layers, both directions, ragged rows."""
    modes = {own: mode for mode, own in MODES.items()}
    return [(":".join(("layer", cell, shape_text(case), modes[case.mode], variant_text(case))), shape_text(case),
             modes[case.mode], case) for case in cases("variants")
            if case.cell == CELLS[cell] and modes.get(case.mode) in options.modes]


def variant_text(case):
    return f"{case.layers}:{case.direction}:{case.lengths}"


def agreement_tasks(options, peer):
    """Small networks whose results are compared with those of others, of each cell; with the variants also those."""
    tasks = [f"agree:{cell}" for cell in options.cells]
    if "variants" in options.parts:
        for cell in options.cells:
            tasks += dict.fromkeys(f"agree:{cell}:{variant_text(case)}" for _, _, _, case in variant_tasks(options, cell)
                                   if peer.takes_variant(peer.settings[0], cell, case))
    return tasks


def layers(run, built, last):
    """One pass over all layers, cell by cell, so that the programs take turns often."""
    for cell in run.options.cells:
        if enough_time(run, last, f"layers of {cell}"):
            begun = time.monotonic()
            turns(run, built, lambda peer, setting, cell=cell: [
                task for task, shape, mode in layer_tasks(run.options, cell)
                if peer.takes(setting, cell, shape, mode)])
            last[f"layers of {cell}"] = time.monotonic() - begun


def enough_time(run, last, what):
    """Whether a later pass can be finished; one that is cut off would favour the programs that come first."""
    if run.left() >= last.get(what, 0):
        return True
    run.leave_out(f"a pass of {what}")
    return False


def turns(run, built, wanted, more=None):
    for peer, setting in programs.in_turn(built):
        tasks = [task for task in wanted(peer, setting)
                 if not run.hopeless(peer.software, setting, task)]
        for _ in range(1 + run.options.retries):
            if tasks:
                lines = run.child(peer, setting, tasks, more=more)
                tasks = [runs.task_of(line) for line in lines
                         if line.get("others", 0) > report.DISTURBED and runs.task_of(line)]


def steps(run, built, last):
    if enough_time(run, last, "whole steps"):
        begun = time.monotonic()
        turns(run, built, lambda peer, setting: [
            task for task, cell, count, shape in step_tasks(run.options)
            if peer.takes_step(setting, cell, count, shape)])
        last["whole steps"] = time.monotonic() - begun


def classic(run, built, last):
    if not enough_time(run, last, "the classic char-rnn"):
        return
    begun = time.monotonic()
    turns(run, [peer for peer in built if peer.key == "unroll"], lambda peer, setting: ["classic"])
    if "numpy" in run.options.peers:
        numpy(run)
    last["the classic char-rnn"] = time.monotonic() - begun


def numpy(run):
    if run.left() < 1:
        run.leave_out("numpy")
        return
    runs.wait_for_others(run.options.patience)
    script = os.path.join(programs.HERE, "numpy_char_rnn.py")
    env = {k: v for k, v in os.environ.items() if k not in programs.UNSET}
    env["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, script, "--seconds", str(run.options.seconds)]
    begun, busy, own = time.monotonic(), runs.busy_seconds(), runs.children_seconds()
    lines = run.execute(command, env, "numpy")
    others = runs.busy_seconds() - busy - (runs.children_seconds() - own)
    for line in lines:
        run.add({**line, "others": round(max(0, others) / (time.monotonic() - begun), 3)})


def sweeps(run, built):
    """What a step costs as T, B and H grow, of those peers that train all of it in a reasonable time."""
    for cell in run.options.cells:
        turns(run, [peer for peer in built if peer.key in SWEPT], lambda peer, setting, cell=cell: [
            task for task, shape, mode in sweep_tasks(run.options, cell)
            if peer.takes(setting, cell, shape, mode)], {"part": "sweep"})


def variants(run, built):
    """Layers, directions and ragged rows, of all peers that have them; who has not is a line that says why."""
    for cell in run.options.cells:
        turns(run, built, lambda peer, setting, cell=cell: [
            task for task, shape, mode, case in variant_tasks(run.options, cell)
            if mode in peer.modes and peer.takes_variant(setting, cell, case)])
    for peer in built:
        for what, why in peer.lacks_variants.items():
            run.add({"kind": "absent", "software": peer.software, "what": what, "why": why})
    if "numpy" in run.options.peers:
        run.add({"kind": "absent", "software": "numpy", "what": "layers, directions, ragged rows",
                 "why": "what is timed of it is the classic char-rnn alone"})


def memory(run, built):
    """Each task in a process of its own, as it comes: without the settings that keep memory."""
    for task in MEMORY_TASKS:
        kind, cell, *more = task.split(":")
        for peer in built:
            setting = peer.plain or peer.settings[0]
            fits = (peer.takes(setting, cell, *more) if kind == "layer"
                    else peer.takes_step(setting, cell, int(more[0]), more[1]))
            if fits:
                run.child(peer, setting, [task], more={"kind": "memory"})


def start(run, built):
    """From the start of java to its end, with the first result of a small LSTM, the best of a few."""
    for peer in built:
        setting = peer.plain or peer.settings[0]
        command = peer.command(setting, ["first"])
        best = float("inf")
        for _ in range(START_RUNS):
            if run.left() < 10:
                run.leave_out(f"start of {peer.key}")
                break
            runs.wait_for_others(run.options.patience)
            begun = time.perf_counter()
            lines = run.execute(command, peer.environment(setting), f"{peer.key}, first result")
            if any(line["kind"] == "first" for line in lines):
                best = min(best, time.perf_counter() - begun)
        if best < float("inf"):
            run.add({"kind": "start", "software": peer.software, "cell": "lstm", "runs": START_RUNS,
                     "seconds": round(best, 3)})


def peak(run):
    """Multiply-adds in registers; whether they could be measured."""
    source = os.path.join(programs.HERE, "fma_peak.cpp")
    binary = os.path.join(programs.TARGET, "fma_peak")
    if shutil.which("g++") is None:
        run.note("no g++ here: the report has no peak to compare with")
        return False
    if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
        subprocess.run(["g++", "-O3", "-march=native", "-ffp-contract=fast", "-pthread", source,
                        "-o", binary], check=True)
    for threads in (1, 2):
        runs.wait_for_others(run.options.patience)
        done = subprocess.run([binary, str(threads)], check=True, capture_output=True, text=True)
        run.add({"kind": "peak", "software": "fma_peak", **json.loads(done.stdout)})
    return True
