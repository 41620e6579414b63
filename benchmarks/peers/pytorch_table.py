#!/usr/bin/env python3
"""Joins what "unroll bench --grid" and pytorch_rnn.py printed into tables of Markdown.

usage: pytorch_table.py UNROLL.jsonl PYTORCH.jsonl [TITLE]

A ratio above 1 says that Unroll is faster. Both sides are medians by the host's clock; events, cold, plain and in
turn are by the device's clock, warm, from emptied caches, without graphs, and without graphs of many networks that take
turns. Against TF32 of Unroll stands the better of PyTorch's TF32
and FP32, against BF16 the better of its BF16 and FP16. Peak is that of multiply-adds or tensor cores in the same
precision as measured in this run; the bound is a model's, from the ceilings of this run (docs/performance.md).
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.dirname(HERE)]
import grid  # noqa: E402
from report import digits, geometric, mean_cell, table  # noqa: E402

PEERS = {"FP32": ("FP32",), "TF32": ("TF32", "FP32"), "BF16": ("BF16", "FP16")}
MODES = ("forward", "train")


def read(path):
    """The lines of a file; a last one that was cut off is left out."""
    lines = []
    try:
        with open(path) as file:
            for text in file:
                if text.endswith("\n"):
                    lines.append(json.loads(text))
    except OSError as failure:
        print(f"{path}: {failure.strerror}", file=sys.stderr)
    return lines


def key(line):
    return grid.of_line(line)


def fastest(lines):
    """The line of the lowest median for each case."""
    best = {}
    for line in lines:
        if "ms" in line and line["ms"] < best.get(key(line), line)["ms"] + 1e-12:
            best[key(line)] = line
    return best


def heading(own, peers, title):
    described = list(dict.fromkeys(line["description"] for line in own if "description" in line))
    parts = [f"# {title}"]
    if any("simulated" in text for text in described):
        parts.append("**The device is simulated on a CPU: these times mean nothing.** They show that"
                     " the harness runs from end to end.")
    facts = [f"Unroll {line['unroll']} on {line['description']}, JDK {line['jdk']}, {line['date']}"
             for line in own[:1]]
    facts += [" ".join(f"{name} {value}" for name, value in line.items() if name != "kind")
              for line in peers if line.get("kind") == "environment"]
    return parts + facts + [__doc__.split("\n\n")[-1].strip()]


def section(precision, mode, own, peers):
    """A table of all cells and shapes, and the ratios in it."""
    ours = fastest(line for line in own if line["precision"] == precision and line["mode"] == mode)
    theirs = fastest(line for line in peers if line.get("precision") in PEERS[precision]
                     and line["mode"] == mode)
    rows, ratios = [], []
    if not ours:
        return "", []
    for case in dict.fromkeys([*ours, *theirs]):
        left, right = ours.get(case, {}), theirs.get(case, {})
        ratio = right["ms"] / left["ms"] if left and right else None
        ratios += [(case.cell, ratio)] if ratio else []
        rows.append([case.cell, grid.words(case),
                     *(digits(left.get(name)) for name in ("ms", "event_ms", "cold_ms", "plain_ms", "rotating_ms", "gflops")),
                     percent(left.get("of_peak")), percent(left.get("of_gemm")), percent(left.get("of_memory")),
                     digits(left.get("bound_ms")), left.get("bound_by", "–"),
                     *(digits(right.get(name)) for name in ("ms", "event_ms", "cold_ms")),
                     which(right), f"{ratio:.2f}" if ratio else "–"])
    head = ["cell", "T,B,I,H", "Unroll ms", "events", "cold", "plain", "in turn", "GFLOP/s", "% of peak", "% of gemm", "% of memory",
            "bound ms", "by", "PyTorch ms", "events", "cold", "which", "ratio"]
    return (f"## {precision}, {mode}\n\n" + table(head, rows) if rows else ""), ratios


def percent(share):
    return digits(share and 100 * share)


def which(line):
    return f"{line['setting']} {line['precision']}" if line else "–"


def whole_steps(own, peers):
    """Tokens in a second and memory of whole training steps."""
    rows = []
    for precision in PEERS:
        ours = fastest(line for line in own if line["precision"] == precision and line["mode"] == "step")
        theirs = fastest(line for line in peers if line.get("precision") in PEERS[precision]
                         and line["mode"] == "step")
        for case in dict.fromkeys([*ours, *theirs]):
            left, right = ours.get(case, {}), theirs.get(case, {})
            rows.append([precision, case.cell, grid.words(case),
                         *(digits(left.get(name)) for name in ("tokens_per_s", "memory_mb", "bound_ms", "event_ms")),
                         left.get("bound_by", "–"),
                         *(digits(right.get(name)) for name in ("tokens_per_s", "memory_mb")), which(right),
                         f"{right['ms'] / left['ms']:.2f}" if left and right else "–"])
    head = ["precision", "cell", "T,B,V,H", "Unroll tokens/s", "MB", "bound ms", "events ms", "by",
            "PyTorch tokens/s", "MB", "which", "ratio"]
    return ("## Whole training steps of a char-rnn\n\nCross-entropy, Adam, global norm clipped at 5. MB is what"
            " is held on the device, of PyTorch the most.\n\n" + table(head, rows)) if rows else ""


def growth(own, peers):
    """What a step costs where one size grows and the others stay."""
    rows = []
    for precision in PEERS:
        ours = fastest(line for line in own if line["precision"] == precision)
        theirs = fastest(line for line in peers if line.get("precision") in PEERS[precision])
        for (size, _), cases in grid.sweeps(ours).items():
            for case in cases:
                left, right = ours[case.key()], theirs.get(case.key(), {})
                rows.append([precision, f"{case.cell} {case.mode}", size, grid.words(case),
                             *(digits(1e3 * ms / case.shape[0] if ms else None)
                               for ms in (left["ms"], left.get("bound_ms"), right.get("ms")))])
    head = ["precision", "cell", "grows", "T,B,I,H", "Unroll µs a step", "bound", "PyTorch µs a step"]
    return "## What a step costs as one size grows\n\n" + table(head, rows) if rows else ""


def means(found):
    """found: {(precision, mode): [(cell, ratio)]}"""
    rows = []
    for (precision, mode), ratios in found.items():
        cells = list(dict.fromkeys(cell for cell, _ in ratios))
        rows.append([precision, mode, mean_cell([ratio for _, ratio in ratios]),
                     ", ".join(f"{cell} {geometric([r for c, r in ratios if c == cell]):.2f}"
                               for cell in cells)])
    return ("## Geometric means\n\nPyTorch's time over Unroll's; in brackets the lowest and the"
            " highest.\n\n" + table(["precision", "mode", "all", "by cell"], rows)) if rows else ""


def failures(lines):
    counts = {}
    for line in lines:
        why = line.get("error") or line.get("skipped")
        if why:
            what = " ".join([line.get("software", "Unroll"), line.get("setting", ""), line["precision"]])
            counts.setdefault((what.replace("  ", " "), why), []).append(line)
    rows = [[what, str(len(cases)), named(key(cases[0])), why.replace("|", "/")]
            for (what, why), cases in counts.items()]
    return ("## What was not timed\n\n" + table(["what", "cases", "the first", "why"], rows)
            ) if rows else ""


def named(case):
    return f"{case.cell} {grid.words(case)} {case.mode}"


def main(arguments):
    if len(arguments) not in (2, 3):
        raise SystemExit(__doc__.split("\n\n")[1])
    own, peers = read(arguments[0]), read(arguments[1])
    title = arguments[2] if len(arguments) == 3 else "Unroll beside PyTorch on CUDA"
    sections, found = [], {}
    for precision in PEERS:
        for mode in MODES:
            text, ratios = section(precision, mode, own, peers)
            sections.append(text)
            if ratios:
                found[precision, mode] = ratios
    parts = [*heading(own, peers, title), means(found), whole_steps(own, peers), *sections,
             growth(own, peers), failures(own + peers)]
    print("\n\n".join(part for part in parts if part))


if __name__ == "__main__":
    main(sys.argv[1:])
