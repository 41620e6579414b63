#!/usr/bin/env python3
"""What a model says of every single layer of grid.txt on a GPU of assumed ceilings: the table in docs/performance.md.

usage: benchmarks/bounds.py CLASSPATH    writes it; after ci/cuda-simulated, whose simulated device lends its ways

CLASSPATH has Unroll and what it needs, as "mvn dependency:build-classpath" prints it, with target/classes before it. The
model is io.unroll.cli.Bound; on a GPU "bench --against" computes the same from ceilings that were measured there.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path += [HERE, os.path.join(HERE, "peers")]
import grid  # noqa: E402
from report import digits, table  # noqa: E402

BEGIN, END = "<!-- bounds: begin -->", "<!-- bounds: end -->"
SIMULATION = os.path.join(ROOT, "target", "cudasim", "plain")
PROCESSORS = 132
# Of an H100 with 80 GB; where each comes from stands above the table.
ASSUMED = (("reported", "processors", PROCESSORS), ("copy", "by a kernel", 3000), ("copy", "by the driver", 3000),
           ("read", "by every group, from L2", 5500), ("fma", "FP32", 60), ("mma", "TF32", 310), ("mma", "BF16", 620),
           ("block_barrier", "256 lanes", 30), ("kernel_boundary", "graph", 1.3))
PRECISIONS = ("FP32", "BF16")
CELLS = ("tanh", "gru", "lstm")
SETS = "main,awkward"


def lines(classpath, precision, ceilings):
    images = os.path.join(SIMULATION, "images", "io", "unroll", "kernels", "cuda")
    done = subprocess.run(
        ["java", f"-Dunroll.cuda.images={images}", "-cp", classpath, "io.unroll.cli.Main", "bench", "--device", "cuda",
         "--precision", precision, "--grid", os.path.join(HERE, "grid.txt"), "--sets", SETS, "--budget", "0",
         "--against", ceilings],
        env={**os.environ, "LD_LIBRARY_PATH": SIMULATION, "UNROLL_CUDASIM_PROCESSORS": str(PROCESSORS)},
        capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def made(classpath):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as ceilings:
        for name, of, median in ASSUMED:
            ceilings.write(json.dumps({"ceiling": name, "of": of, "median": median,
                                       "description": "cuda:0 (simulated sm_90 (x86-64),"}) + "\n")
        ceilings.flush()
        found = {(precision, grid.of_line(line)): line for precision in PRECISIONS
                 for line in lines(classpath, precision, ceilings.name)}
    rows = []
    shapes = sorted(dict.fromkeys(what.shape for _, what in found), key=lambda s: (s[3], s[1], s[0]))
    for shape in shapes:
        row = [",".join(map(str, shape))]
        for precision in PRECISIONS:
            for cell in CELLS:
                line = found[precision, grid.Case(cell, shape, mode="train")]
                row.append(f"{digits(1e3 * line['bound_ms'] / shape[0])} {line['bound_by']}")
        rows.append(row)
    return table(["T,B,I,H", *(f"{cell}, {precision}" for precision in PRECISIONS for cell in CELLS)], rows)


def main(arguments):
    if len(arguments) != 1:
        raise SystemExit(__doc__.split("\n\n")[1])
    path = os.path.join(ROOT, "docs", "performance.md")
    with open(path, encoding="utf-8") as page:
        text = page.read()
    before, rest = text.split(BEGIN)
    with open(path, "w", encoding="utf-8") as page:
        page.write(f"{before}{BEGIN}\n{made(arguments[0])}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
