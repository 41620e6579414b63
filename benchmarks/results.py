#!/usr/bin/env python3
"""Makes the pages and plots of benchmarks/results, and the table in the project's README.md, from results/data.

usage: results.py                      writes them
       results.py --check              writes nothing; exits 1 and names what is not as the data have it
       results.py --add NAME FILE...   first puts JSON lines into results/data/NAME.jsonl, one run

What it makes depends on the data alone. Figures of simulated devices mean nothing and are shown nowhere.
"""

import os
import re
import sys

import results_data as data
import results_plots as plots
from results_data import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
MADE = ("<!-- Made by benchmarks/results.py from results/data. A change here is lost: change the data"
        " or the script. -->")
HOW = ("GFLOP/s = 2·T·B·(I+H)·G·H operations of the matrix products, three times that for train. *infer*"
       " is y from x; *train* is that and the gradients of x and of all weights, from a fixed gradient of"
       " y. Times are medians, the best of all settings on both sides; a ratio is the best peer's time"
       " over Unroll's: above 1 Unroll is faster. T,B,I,H are steps, rows, inputs and units.")
# Kinds of lines of peers that may have timed layers; "config" is of those that ran, though others were faster.
TIMED_PEERS = (None, "config", "layer", "environment")
PLOTS = (("time", "time of a step against H", plots.time_per_step),
         ("growth", "time of a step as one size grows", plots.growth),
         ("ratio", "ratio to the best peer, shape by shape", plots.ratios),
         ("roofline", "GFLOP/s against arithmetic intensity", plots.roofline))
OTHER_PAGES = (
    ("cpu-peers.md", "what compare.py wrote of the CPU run at commit `afff90f`, each peer by itself too"),
    ("native-and-java.md", "the native CPU library against the peak of the same threads, and what the"
     " plain-Java backend takes and allocates; pasted from the programs that measured it"))


def demoted(text):
    return re.sub(r"^## ", "### ", text, flags=re.M)


def link(text, target):
    return f"[{text}]({target})"


def software(run, kinds=None):
    """Names and versions of the peers in a run, or of those with lines of some kinds."""
    versions = {}
    for line in run.lines:
        name = line.get("software")
        if name not in (None, "Unroll", "fma_peak") and line.get("kind") != "absent" and (not kinds or line.get("kind") in kinds):
            version = line.get("version") or line.get("torch") or versions.get(name, "")
            versions[name] = version
    return [f"{name} {version}".strip() for name, version in versions.items()]


def provenance(run):
    found = run.environment()
    names = (("device", run.device()), ("backend", found.get("backend")),
             ("date", found.get("date")), ("Unroll", found.get("unroll")),
             ("commit", found.get("commit")), ("JDK", found.get("jdk")),
             ("system", found.get("system")), ("cores", found.get("cores")),
             ("command", found.get("command") and f"`{found['command'].strip()}`"),
             ("scheduling", found.get("scheduling")),
             ("driver", found.get("driver_version")), ("CUDA of the peer", found.get("cuda")),
             ("cuDNN", found.get("cudnn")), ("clock of the processors", found.get("clocks.sm")),
             ("clock of the memory", found.get("clocks.mem")),
             ("limit of power", found.get("power.limit")),
             ("peers", "; ".join(software(run))))
    rows = [[name, data.one_cell(value)] for name, value in names if value not in (None, "")]
    rows.append(["data", link(run.name + ".jsonl", f"data/{run.name}.jsonl")])
    return report.table(["", ""], rows)


def what_peaks(run):
    """What the run measured of the device itself."""
    parts = [report.peaks(run.lines)]
    rows = [[line["ceiling"], line["of"], report.digits(line["median"]), line["unit"]]
            for line in run.ceilings if line.get("outcome") == "measured"]
    if rows:
        parts.append("## What the device can do at best\n\n"
                     + report.table(["ceiling", "of", "median", "unit"], rows))
    return parts


def of_precision(run, precision):
    """All tables of one precision."""
    cases = run.of_precision(precision)
    parts = [f"## {precision}"] if run.precisions() != ["FP32"] else []
    parts.append(demoted(report.means(cases)))
    if not run.sources:  # else not every peer's own figures are there
        parts += [report.each_peer(cases), report.settings(cases)]
    peak = run.peak(precision)
    for cell in dict.fromkeys(case["cell"] for case in cases):
        parts.append(demoted(report.cell_table(cases, cell, peak)))
    parts += [bounds(cases), variants(run, precision), steps(run, precision)]
    for kind, title, _ in drawn(run, precision):
        parts.append(f"![{title}]({plot_name(run, precision, kind)})")
    return parts


def share(value):
    return report.digits(value and 100 * value)


def bounds(cases):
    """What a model says of Unroll's cases, from the ceilings of the same run."""
    rows = []
    for case in sorted(data.best_own(cases), key=lambda case: (case["cell"], case["mode"])):
        if "bound_ms" in case:
            rows.append([case["cell"], case["mode"], report.shape_of(case),
                         *(report.digits(case.get(name)) for name in ("ms", "event_ms", "cold_ms", "plain_ms", "rotating_ms")),
                         report.digits(case["bound_ms"]), case["bound_by"], share(case["bound_share"]),
                         share(case["of_peak"]), share(case.get("of_gemm")),
                         share(case["of_memory"])])
    head = ["cell", "", "T,B,I,H", "ms", "events", "cold", "plain", "in turn", "bound ms", "by", "% of it", "% of peak",
            "% of gemm", "% of memory"]
    return ("### What bounds it\n\n*ms* is by the host's clock; *events*, *cold* from emptied caches, *plain* without graphs"
            " and *in turn* of many networks without graphs by the device's. The bound is that of a [model](../../docs/performance.md#what-bounds-a-recurrence)"
            " from the ceilings of this run; shares are of the device's time.\n\n" + report.table(head, rows)
            ) if rows else ""


def compared(run, precision, wanted):
    """(what, Unroll's best or {}, the best peer's or {}) of cases that are no single layers."""
    found = data.best_of(run.of_precision(precision, run.others))
    return [(what, own or {}, peer or {}) for what, (own, peer) in found.items() if wanted(what)]


def ratio(own, peer):
    return f"{peer['ms'] / own['ms']:.2f}" if own and peer else "–"


def who(case):
    return f"{case['software']} {case['setting']}".strip() if case else "–"


def variants(run, precision):
    return demoted(report.variants([case for case in run.of_precision(precision, run.others) if case["mode"] != "step"]))


def steps(run, precision):
    """Of lines in the words of grid.py; those of compare.py have a table in report.py."""
    rows = [[what.cell, data.grid.words(what),
             *(report.digits(own.get(name)) for name in ("tokens_per_s", "memory_mb")),
             *(report.digits(peer.get(name)) for name in ("tokens_per_s", "memory_mb")), who(peer), ratio(own, peer)]
            for what, own, peer in compared(run, precision, lambda what: what.mode == "step")]
    head = ["cell", "T,B,V,H", "tokens/s", "MB", "best peer tokens/s", "MB", "who", "ratio"]
    return ("### Whole training steps of a char-rnn\n\nCross-entropy, Adam, global norm clipped at 5. MB is what is"
            " held on the device, of peers the most.\n\n" + report.table(head, rows)) if rows else ""


def plot_name(run, precision, kind):
    return f"plots/{run.name}-{precision.lower()}-{kind}.svg"


def drawn(run, precision):
    """The plots for which a run has figures of single layers."""
    if not run.cases:
        return []
    cases = run.of_precision(precision)
    empty = set() if data.pairs(cases) else {"ratio"}
    empty |= set() if plots.sweeps(run.of_precision(precision, run.swept)) else {"growth"}
    return [plot for plot in PLOTS if plot[0] not in empty]


def failures(run):
    rows = run.failures()
    return "## What was not measured\n\n" + report.table(["what", "cases", "why"], rows) if rows else ""


def page(run):
    """The page of one run."""
    parts = [MADE, f"# {run.date()}, {run.device()}", provenance(run), *run.sources, HOW]
    parts += [report.disturbance(run.lines), report.agreement(run.lines), *what_peaks(run)]
    for precision in run.precisions():
        parts += of_precision(run, precision)
    lines = [{**line, "cell": data.SAME_CELL.get(line.get("cell"), line.get("cell"))} for line in run.lines]
    parts += [demoted(part(lines)) for part in (report.characters, report.classic)]
    parts += [demoted(report.memory_and_start(run.lines)), demoted(report.growth(lines)),
              demoted(report.absent(run.lines)), failures(run)]
    return "\n\n".join(part for part in parts if part) + "\n"


def latest(runs):
    """The latest run on each device that has figures."""
    found = {}
    for run in runs:
        if run.cases:
            found.setdefault(run.device(), run)
    return list(found.values())


def mean_rows(run):
    """The geometric means of a run: a row for each precision and cell, and for each precision all."""
    rows = []
    for precision in run.precisions():
        cases = run.of_precision(precision)
        cells = list(dict.fromkeys(case["cell"] for case in cases))
        for name, some in [*((cell, [cell]) for cell in cells), ("all", cells)]:
            means = [report.mean_cell(report.ratios(cases, report.theirs, some, mode))
                     for mode in data.MODES]
            if means != ["–", "–"]:
                rows.append([precision, name, *means])
        found = data.best_of(run.of_precision(precision, run.others))
        for name, whole in (("layers, directions, ragged rows", False), ("whole steps of a char-rnn", True)):
            means = [report.mean_cell([peer["ms"] / own["ms"] for what, (own, peer) in found.items()
                                       if own and peer and (what.mode == "step") == whole
                                       and (what.mode == "forward") == (mode == "infer")])
                     for mode in data.MODES]
            if means != ["–", "–"]:
                rows.append([precision, name, *means])
    return rows


def index(runs):
    shown = [run for run in runs if not run.simulated]
    hidden = [run for run in runs if run.simulated]
    rows = [[run.date(), link(run.device(), run.name + ".md"),
             f"`{run.environment().get('commit', 'unknown')}`", ", ".join(run.precisions()),
             str(len(run.cases + run.others)), "; ".join(software(run)), str(sum(int(row[1]) for row in run.failures()))]
            for run in shown]
    parts = [MADE, "# Results", "Made from the lines of JSON in [data](data) by [results.py](../results.py), the"
             " latest run first. [How to take and add a run](../README.md).",
             report.table(["date", "device", "commit", "precision", "cases", "peers", "not measured"],
                          rows)]
    if hidden:
        parts.append("Of simulated devices, whose figures mean nothing and are shown nowhere: "
                     + ", ".join(link(run.name, f"data/{run.name}.jsonl") for run in hidden) + ".")
    parts.append(HOW)
    for run in latest(runs):
        parts.append(f"## {run.device()}, {run.date()}")
        parts += run.sources
        if mean_rows(run):
            parts.append("Geometric means of the best peer's time over Unroll's, in brackets the lowest"
                         f" and the highest; {link('shape by shape', run.name + '.md')}:\n\n"
                         + report.table(["precision", "cell", "infer", "train"], mean_rows(run)))
        for precision in run.precisions():
            parts += [f"![{precision}, {title}]({plot_name(run, precision, kind)})"
                      for kind, title, _ in drawn(run, precision)]
    parts.append("## Not made from data\n\n" + "\n".join(
        f"* {link(name, name)}: {what}" for name, what in OTHER_PAGES))
    return "\n\n".join(parts) + "\n"


def whole_steps(run):
    """Rows of the training steps that hold more than one layer's work: what, the best peer's time over Unroll's."""
    rows, small = [], report.step_ratios(run.lines, wanted=is_of_torch_rnn)
    for (cell, count, shape), case in report.best_steps(run.lines).items():
        peer = report.best_peer(case)
        if peer and "Unroll" in case and not is_of_torch_rnn((cell, count, shape)):
            rows.append([f"a whole char-rnn step, {count} layers of {shape.split(',')[3]},"
                         f" {data.SAME_CELL.get(cell, cell)}, against {peer['software']}", "",
                         f"{peer['ms'] / case['Unroll']['ms']:.2f}"])
    if small:
        rows.append([f"whole steps of torch-rnn's tables, LSTM, 1 to 3 layers of 64 to 512, {len(small)} of them", "",
                     report.mean_cell(small)])
    own = report.fastest(report.of_kind(run.lines, "classic"))
    for setting in report.ordered(run.lines, "numpy", "setting"):
        rate = report.fastest_rate(run.lines, setting)
        if own:
            rows.append([f"the classic char-rnn, one layer of 100, against numpy ({setting})", "",
                         f"{1e3 / own['ms'] / rate:.2f}"])
    return rows


def is_of_torch_rnn(key):
    return key[2].startswith("50,50,65,")


def each_peer(run):
    """Each peer by itself: its time over Unroll's over the cases that it ran, its memory, its start."""
    if run.sources:  # not every peer's own figures are there
        return ""
    of_step, start = report.peak_memory(run.lines, "step"), report.starts(run.lines)
    cells = list(dict.fromkeys(case["cell"] for case in run.cases))
    rows = []
    names = {line["software"] for line in [*run.cases, *report.steps(run.lines), *report.of_kind(run.lines, "start")]}
    for name in sorted(names, key=report.rank):
        ratios = [report.ratios(run.cases, lambda who, name=name: who == name, cells, mode) for mode in data.MODES]
        ratios.append(report.step_ratios(run.lines, lambda who, name=name: who == name))
        shown = [f"{report.mean_cell(found)}, n={len(found)}" if found else "–" for found in ratios]
        rows.append([name, *(["1"] * 3 if report.ours(name) else shown),
                     *(form.format(found[name]) if name in found else "–"
                       for found, form in ((of_step, "{:.0f}"), (start, "{:.2f}")))])
    return ("Each by itself, its time over Unroll's over the n cases that it ran; peak resident set of a process that only"
            " takes whole steps of a char-rnn, LSTM, two layers of 512; seconds from the start of `java` to its end with"
            " the first result of a small LSTM:\n\n"
            + report.table(["", "inference", "training", "whole char-rnn steps", "MB", "s"], rows)) if rows else ""


def where_peers_are_faster(run):
    """A sentence that hides nothing."""
    found = [(own, peer) for precision in run.precisions()
             for own, peer in data.pairs(run.of_precision(precision))]
    slower = [f"{own['cell']} {own['mode']} {report.shape_of(own)} {peer['ms'] / own['ms']:.2f}"
              f" ({peer['software']})" for own, peer in found if peer["ms"] < own["ms"]]
    if not found:
        return ""
    if not slower:
        return f"Unroll is faster in all {len(found)} cases."
    return f"A peer is faster in {len(slower)} of {len(found)} cases: {', '.join(slower)}."


def main_table(runs):
    """What stands in the project's README: the latest run of each device."""
    parts = []
    for run in latest(runs):
        means = [[f"{precision}, {cell}" if run.precisions() != ["FP32"] else cell, *rest]
                 for precision, cell, *rest in mean_rows(run)]
        found = run.environment()
        which = f"commit `{found['commit']}`" if "commit" in found else f"Unroll {found.get('unroll')}"
        what = ", ".join(filter(None, (run.device(), found.get("backend"), found.get("jdk"), run.date(), which)))
        peers = software(run, TIMED_PEERS)
        shapes = {report.shape_of(own) for own, _ in data.pairs(run.cases)}
        shown = (f": the time of the best of {', '.join(peers)} over Unroll's, geometric means over"
                 f" {len(shapes)} shapes, in brackets the lowest and the highest. Above 1 Unroll is faster."
                 if means else ": no peer ran.")
        parts.append(f"{what} ({link('shape by shape', f'benchmarks/results/{run.name}.md')}){shown}")
        parts.append(report.table(["", "inference", "training"], means + whole_steps(run)))
        parts.append(where_peers_are_faster(run))
        parts.append(each_peer(run) or report.memory_and_start(run.lines).replace("## Memory and start\n\n", ""))
        parts += run.sources
    return "\n\n".join(part for part in parts if part)


def with_table(readme, runs):
    """README's text with the table between its marks."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise data.Unusable(f"README.md must hold {BEGIN} once and behind it {END} once; the table goes"
                            " between them")
    before, rest = readme.split(BEGIN)
    return before + BEGIN + "\n" + main_table(runs) + "\n" + END + rest.split(END)[1]


def made(runs, readme):
    """All files, {path from the project's root: text}."""
    folder = "benchmarks/results/"
    files = {"README.md": with_table(readme, runs), folder + "README.md": index(runs)}
    for run in runs:
        if run.simulated:
            continue
        files[f"{folder}{run.name}.md"] = page(run)
        for precision in run.precisions():
            for kind, title, draw in drawn(run, precision):
                files[folder + plot_name(run, precision, kind)] = draw(run, precision, title)
    return files


def text_of(path):
    """A file's text, or None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def is_made(path):
    text = text_of(path)
    return text is not None and (text.startswith(MADE) or plots.MADE in text)


def left_over(root, files):
    """Files in results that an earlier run of the script made and this one does not."""
    folder = os.path.join(root, "benchmarks", "results")
    found = []
    for inside in (folder, os.path.join(folder, "plots")):
        for name in sorted(os.listdir(inside)) if os.path.isdir(inside) else []:
            path = os.path.join(inside, name)
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            if name.endswith((".md", ".svg")) and relative not in files and is_made(path):
                found.append(relative)
    return found


def render(root):
    runs = data.load(os.path.join(root, "benchmarks", "results", "data"))
    files = made(runs, text_of(os.path.join(root, "README.md")) or "")
    return files, left_over(root, files)


def check(root):
    """What is not as the data have it, one line each."""
    files, extra = render(root)
    cure = "run benchmarks/results.py"
    wrong = [f"{path}: is not what the data give; {cure}" for path, text in files.items()
             if text_of(os.path.join(root, path)) != text]
    return wrong + [f"{path}: no data give it; {cure}" for path in extra]


def write(root):
    files, extra = render(root)
    for path, text in files.items():
        where = os.path.join(root, path)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        if text_of(where) != text:
            with open(where, "w", encoding="utf-8", newline="\n") as out:
                out.write(text)
            print(path)
    for path in extra:
        os.remove(os.path.join(root, path))
        print(f"{path} removed")


def add(root, name, paths):
    """Puts the lines of files into one file of data. A last line that was cut off stays out, and is told."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d-\d{4}-[a-z0-9-]+", name):
        raise data.Unusable(f"{name!r} must be date, time and device, such as 2026-11-24-0834-cpu")
    target = os.path.join(root, "benchmarks", "results", "data", name + ".jsonl")
    if os.path.exists(target):
        raise data.Unusable(f"{target} is there; a run is not overwritten: choose another name")
    lines = []
    for path in paths:
        text = text_of(path)
        if text is None:
            raise data.Unusable(f"{path}: no such file")
        whole = text.splitlines(keepends=True)
        if whole and not whole[-1].endswith("\n"):
            print(f"{path}: the last line was cut off and is left out", file=sys.stderr)
            whole.pop()
        lines += whole
    if data.parse("".join(lines), name).simulated:
        print(f"{name}: the device is simulated; its figures will be shown nowhere", file=sys.stderr)
    with open(target, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines)


def main(arguments, root=ROOT):
    try:
        if arguments == ["--check"]:
            wrong = check(root)
            print("\n".join(wrong), end="\n" if wrong else "")
            return 1 if wrong else 0
        if arguments[:1] == ["--add"] and len(arguments) > 2:
            add(root, arguments[1], arguments[2:])
        elif arguments:
            print(__doc__.split("\n\n")[1], file=sys.stderr)
            return 2
        write(root)
        return 0
    except data.Unusable as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
