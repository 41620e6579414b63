#!/usr/bin/env python3
"""Joins what "unroll bench --grid" and pytorch_rnn.py printed into tables of Markdown.

usage: pytorch_table.py UNROLL.jsonl PYTORCH.jsonl [TITLE]

A ratio above 1 says that Unroll is faster. Both sides are medians by the host's clock. Against TF32 of Unroll
stands the better of PyTorch's TF32 and FP32, against BF16 the better of its BF16 and FP16.
"""

import json
import sys

from report import digits, geometric, mean_cell, shape_of, table

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
    return line["cell"], shape_of(line), line["mode"]


def fastest(lines):
    """The line of the lowest median for each cell, shape and mode."""
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
    for case in dict.fromkeys([*ours, *theirs]):
        left, right = ours.get(case), theirs.get(case)
        ratio = right["ms"] / left["ms"] if left and right else None
        ratios += [(case[0], ratio)] if ratio else []
        rows.append([case[0], case[1], digits(left and left["ms"]), digits(left and left["gflops"]),
                     digits(right and right["ms"]), digits(right and right.get("event_ms")),
                     f"{right['setting']} {right['precision']}" if right else "–",
                     f"{ratio:.2f}" if ratio else "–"])
    head = ["cell", "T,B,I,H", "Unroll ms", "GFLOP/s", "PyTorch ms", "by events", "which", "ratio"]
    return (f"## {precision}, {mode}\n\n" + table(head, rows) if rows else ""), ratios


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
            what = " ".join([line["software"], line.get("setting", ""), line["precision"]])
            counts.setdefault((what.replace("  ", " "), why), []).append(line)
    rows = [[what, str(len(cases)), " ".join(map(str, key(cases[0]))), why.replace("|", "/")]
            for (what, why), cases in counts.items()]
    return ("## What was not timed\n\n" + table(["what", "cases", "the first", "why"], rows)
            ) if rows else ""


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
    parts = [*heading(own, peers, title), means(found), *sections, failures(own + peers)]
    print("\n\n".join(part for part in parts if part))


if __name__ == "__main__":
    main(sys.argv[1:])
