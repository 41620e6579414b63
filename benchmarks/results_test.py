#!/usr/bin/env python3
"""Tests of results.py, in folders of their own: python3 benchmarks/results_test.py"""

import contextlib
import io
import json
import os
import re
import tempfile
import unittest
import xml.etree.ElementTree as xml

import results
import results_data as data
from results_data import report

REAL = "cuda:0 (Some 80GB, GPU, float32, driver for CUDA 13.0, matrix products by cuBLAS 13.0)"
SIMULATED = ("cuda:0 (simulated sm_90 (x86-64), simulated, float32, driver for CUDA 13.0, matrix products by"
             " its own kernels)")
README = f"before\n{results.BEGIN}\n{results.END}\nbehind\n"
NAME = "2026-01-02-0304-gpu"


def own(precision="FP32", mode="forward", ms=2.0, description=REAL, hidden=64, cell="lstm"):
    return {"device": "cuda:0", "cell": cell, "T": 10, "B": 4, "I": 32, "H": hidden, "layers": 1,
            "mode": mode, "precision": precision, "description": description, "jdk": "17",
            "unroll": "0.1.0", "software": "Unroll", "date": "2026-01-02T03:04:05Z", "ms": ms,
            "gflops": 1.0}


def peer(precision, way, mode="forward", hidden=64, cell="lstm", **more):
    return {"software": "PyTorch", "setting": way, "precision": precision, "cell": cell, "T": 10,
            "B": 4, "I": 32, "H": hidden, "layers": 1, "mode": mode, **more}


def ceiling(name, of, unit, median, description=REAL):
    return {"device": "cuda:0", "ceiling": name, "of": of, "outcome": "measured", "unit": unit,
            "median": median, "description": description}


def environment():
    return {"kind": "environment", "software": "PyTorch", "torch": "2.9", "cuda": "13.0", "cudnn": 9,
            "driver_version": "580.1", "clocks.sm": "1980 MHz"}


GPU = [ceiling("copy", "by a kernel", "GB/s", 3000), ceiling("fma", "FP32", "TFLOP/s", 60),
       ceiling("mma", "TF32", "TFLOP/s", 400), ceiling("mma", "BF16", "TFLOP/s", 800),
       own(), own("TF32", ms=1.0), own(mode="train", ms=5.0), own(hidden=128, ms=4.0),
       environment(),
       peer("FP32", "plain", ms=6.0), peer("FP32", "graph", ms=3.0), peer("TF32", "graph", ms=4.0),
       peer("FP32", "plain", hidden=128, ms=2.0),
       peer("FP32", "plain", "train", error="RuntimeError: no | memory"),
       peer("BF16", "compile", skipped="the budget of 600 s was spent")]


def text(lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


def run(lines, name=NAME):
    return data.parse(text(lines), name)


class Project:
    """A folder with a README and data."""

    def __init__(self, folder, **runs):
        self.root = folder
        self.results = os.path.join(folder, "benchmarks", "results")
        os.makedirs(os.path.join(self.results, "data"))
        self.put("README.md", README)
        for name, lines in runs.items():
            self.put(f"benchmarks/results/data/{name}.jsonl", text(lines))

    def put(self, path, content):
        with open(os.path.join(self.root, path), "w", encoding="utf-8") as out:
            out.write(content)

    def get(self, path):
        return results.text_of(os.path.join(self.root, path))

    def main(self, *arguments):
        """(exit code, what was printed)."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = results.main(list(arguments), self.root)
        return code, said.getvalue()


class ResultsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def project(self, **runs):
        return Project(self.folder, **runs)

    def test_pages_are_right_after_writing_and_wrong_after_any_change(self):
        project = self.project(**{NAME: GPU})
        self.assertEqual(project.main()[0], 0)
        self.assertEqual(project.main("--check"), (0, ""))
        for path in ("README.md", "benchmarks/results/README.md", f"benchmarks/results/{NAME}.md",
                     f"benchmarks/results/plots/{NAME}-fp32-ratio.svg"):
            before = project.get(path)
            typed = before.replace("1.50", "1.60") if "1.50" in before else before + "\n"
            project.put(path, typed)
            code, said = project.main("--check")
            self.assertEqual((code, said.split(":")[0]), (1, path))
            project.main()
            self.assertEqual(project.get(path), before)

    def test_changed_and_dropped_data_are_seen(self):
        project = self.project(**{NAME: GPU})
        project.main()
        project.put(f"benchmarks/results/data/{NAME}.jsonl", text([*GPU, own(hidden=256)]))
        self.assertIn("benchmarks/results/README.md", project.main("--check")[1])
        os.remove(os.path.join(project.results, "data", NAME + ".jsonl"))
        self.assertIn(f"{NAME}.md: no data give it", project.main("--check")[1])
        project.main()
        self.assertIsNone(project.get(f"benchmarks/results/{NAME}.md"))
        self.assertIsNone(project.get(f"benchmarks/results/plots/{NAME}-fp32-time.svg"))

    def test_pages_that_people_wrote_stay(self):
        project = self.project(**{NAME: GPU})
        project.put("benchmarks/results/by-hand.md", "# Mine\n")
        project.main()
        self.assertEqual(project.main("--check")[0], 0)
        self.assertEqual(project.get("benchmarks/results/by-hand.md"), "# Mine\n")

    def test_readme_keeps_what_is_around_the_table(self):
        project = self.project(**{NAME: GPU})
        project.main()
        readme = project.get("README.md")
        self.assertTrue(readme.startswith("before\n" + results.BEGIN))
        self.assertTrue(readme.endswith(results.END + "\nbehind\n"))
        # sqrt(3/2 * 2/4), by hand.
        self.assertIn("| FP32, lstm | 0.87 (0.50 to 1.50) | – |", readme)

    def test_where_a_peer_is_faster_is_said(self):
        self.assertEqual(results.where_peers_are_faster(run(GPU)),
                         "A peer is faster in 1 of 3 cases: lstm infer 10,4,32,128 0.50 (PyTorch).")

    def test_readme_without_marks_is_refused(self):
        project = self.project(**{NAME: GPU})
        project.put("README.md", f"{results.END} {results.BEGIN}")
        code, said = project.main()
        self.assertEqual(code, 1)
        self.assertIn("must hold", said)

    def test_peers_stand_against_their_precisions(self):
        pairs = {precision: [(mine["ms"], best["ms"], best["setting"]) for mine, best
                             in data.pairs(run(GPU).of_precision(precision))]
                 for precision in ("FP32", "TF32")}
        self.assertEqual(pairs["FP32"], [(2.0, 3.0, "graph FP32"), (4.0, 2.0, "plain FP32")])
        self.assertEqual(pairs["TF32"][0], (1.0, 3.0, "graph FP32"))

    def test_rates_and_ceilings(self):
        gpu = run(GPU)
        self.assertEqual(gpu.device(), "Some 80GB")
        self.assertEqual([gpu.peak(name) for name in data.PEERS], [60e3, 400e3, 800e3])
        self.assertEqual(gpu.bandwidth(), 3000)
        # 2*10*4*(32+64)*4*64 operations in 2 ms, and x, weights with two biases, y once, by hand.
        case = gpu.cases[0]
        self.assertAlmostEqual(case["gflops"], 1966080 / 2e-3 / 1e9)
        self.assertEqual(data.least_bytes(case), 4 * (1280 + 256 * 98 + 2560))

    def test_layers_directions_ragged_rows_and_steps_have_tables_of_their_own(self):
        both = {"layers": 2, "direction": "both", "lengths": "ragged"}
        step = {"tokens_per_s": 1e6, "memory_mb": 12.5}
        more = run([*GPU, {**own(mode="train", ms=2.0), **both}, {**peer("FP32", "plain", "train", ms=5.0), **both},
                    {**own(mode="step", ms=4.0), **step},
                    peer("FP32", "graph", "step", ms=6.0, tokens_per_s=7e5, memory_mb=99)])
        self.assertEqual(len(more.cases), len(run(GPU).cases))
        page = results.page(more)
        self.assertIn("| lstm | train | 10,4,32,64, 2 layers, both directions, ragged | 2.00 |", page)
        self.assertIn("| PyTorch plain FP32 | 2.50 |", page)
        self.assertIn("| lstm | 10,4,32,64 | 1,000,000 | 12.5 | 700,000 | 99.0 | PyTorch graph FP32 | 1.50 |", page)
        means = {name: rest for precision, name, *rest in results.mean_rows(more) if precision == "FP32"}
        self.assertEqual(means["layers, directions, ragged rows"][1][:4], "2.50")
        self.assertEqual(means["whole steps of a char-rnn"][1][:4], "1.50")

    def test_bounds_stand_beside_times(self):
        self.assertNotIn("What bounds it", results.page(run(GPU)))
        bound = {"bound_ms": 0.5, "bound_by": "barriers", "bound_share": 0.3125, "of_peak": 0.05, "of_gemm": 0.0625, "of_memory": 0.01,
                 "event_ms": 1.6, "cold_ms": 1.7, "plain_ms": 1.9, "rotating_ms": 2.25}
        page = results.page(run([*GPU, {**own(ms=1.9), **bound}]))
        self.assertIn("| lstm | infer | 10,4,32,64 | 1.90 | 1.60 | 1.70 | 1.90 | 2.25 | 0.500 | barriers | 31.2 | 5.00 | 6.25 | 1.00 |",
                      page)

    def test_growth_is_drawn_where_one_size_alone_grows(self):
        few = run([own(hidden=64), own(hidden=128)])
        self.assertNotIn("growth", [kind for kind, *_ in results.drawn(few, "FP32")])
        grown = [{**own(mode="train", ms=steps / 10), "T": steps} for steps in (10, 20, 40, 80)]
        many = run([*grown, environment(),
                    *({**peer("FP32", "plain", "train", ms=steps), "T": steps} for steps in (10, 20, 40, 80))])
        picture = xml.fromstring(dict((kind, draw) for kind, _, draw in results.drawn(many, "FP32"))["growth"](
            many, "FP32", "growth"))
        hints = [text for text in picture.itertext() if "T,B,I,H" in text]
        self.assertEqual(len(hints), 8)
        self.assertIn("B=4, I=32, H=64", list(picture.itertext()))
        for mark in picture.iter("{http://www.w3.org/2000/svg}circle"):
            self.assertTrue(0 < float(mark.get("cx")) < float(picture.get("width")))

    def test_what_failed_is_a_row_that_says_why(self):
        page = results.page(run(GPU))
        self.assertIn("| PyTorch plain FP32 | 1 | RuntimeError: no / memory |", page)
        self.assertIn("| PyTorch compile BF16 | 1 | the budget of 600 s was spent |", page)
        noted = [{"kind": "note", "text": "dl4j is left out: no natives"}]
        self.assertIn("| compare.py | 1 | dl4j is left out: no natives |",
                      results.page(run(GPU + noted)))

    def test_figures_of_a_simulated_device_are_shown_nowhere(self):
        lines = [own(description=SIMULATED, ms=0.777), environment(),
                 peer("FP32", "plain", ms=3.555),
                 ceiling("copy", "by a kernel", "GB/s", 4242, SIMULATED)]
        real = [own(ms=2.0), environment(), peer("FP32", "plain", ms=3.0)]
        simulated = "2026-01-09-0000-simulated"
        project = self.project(**{NAME: real, simulated: lines})
        project.main()
        made = [os.path.join(folder, file) for folder, _, files in os.walk(project.root)
                for file in files if not file.endswith(".jsonl")]
        self.assertGreater(len(made), 4)
        self.assertFalse([path for path in made if simulated in path])
        for path in made:
            content = re.sub(rf"\[?{simulated}\S*", "", results.text_of(path))
            for figure in ("0.777", "3.55", "4242", "4,242", "4.58", "simulated sm_90"):
                self.assertNotIn(figure, content, path)
        self.assertIn("whose figures mean nothing", project.get("benchmarks/results/README.md"))
        self.assertIn("1.50", project.get("README.md"))

    def test_one_simulated_line_takes_the_whole_run_out(self):
        mixed = run([own(), own(description=SIMULATED), peer("FP32", "plain", ms=1.0), *GPU[:2]])
        self.assertEqual((mixed.simulated, mixed.cases, mixed.ceilings), (True, [], []))

    def test_only_the_latest_run_of_a_device_is_in_the_main_table(self):
        old = [own(ms=1.0), environment(), peer("FP32", "plain", ms=9.0)]
        new = [own(ms=1.0), environment(), peer("FP32", "plain", ms=2.0)]
        project = self.project(**{"2026-01-01-0000-gpu": old, "2026-01-02-0000-gpu": new})
        project.main()
        self.assertIn("2.00", project.get("README.md"))
        self.assertNotIn("9.00", project.get("README.md"))
        self.assertIn("9.00", project.get("benchmarks/results/2026-01-01-0000-gpu.md"))

    def test_adding_a_run(self):
        project = self.project()
        project.put("unroll.jsonl", text([own()]))
        project.put("peer.jsonl", text([environment(), peer("FP32", "plain", ms=3.0)]) + '{"software": "Py')
        files = [os.path.join(project.root, file) for file in ("unroll.jsonl", "peer.jsonl")]
        code, said = project.main("--add", NAME, *files)
        self.assertEqual(code, 0)
        self.assertIn("cut off", said)
        self.assertIn("1.50", project.get("README.md"))
        self.assertEqual(project.main("--check")[0], 0)
        self.assertIn("is there", project.main("--add", NAME, *files)[1])
        self.assertIn("must be date", project.main("--add", "mine", *files)[1])
        self.assertIn("no such file", project.main("--add", NAME + "-b", "nowhere.jsonl")[1])

    def test_what_is_no_data_is_refused_with_its_place(self):
        for lines, message in ((text([own()]) + "{\n", "line 2: is no JSON"), ("3\n", "must be an object")):
            with self.assertRaisesRegex(data.Unusable, message):
                data.parse(lines, NAME)

    def test_arguments(self):
        self.assertEqual(self.project().main("--nonsense")[0], 2)

    def test_plots_are_svg_inside_their_frame(self):
        gpu = run(GPU)
        for precision in gpu.precisions():
            for _, title, draw in results.PLOTS:
                picture = xml.fromstring(draw(gpu, precision, title))
                width, height = float(picture.get("width")), float(picture.get("height"))
                marks = list(picture.iter("{http://www.w3.org/2000/svg}circle"))
                self.assertTrue(marks)
                for mark in marks:
                    self.assertTrue(0 < float(mark.get("cx")) < width)
                    self.assertTrue(0 < float(mark.get("cy")) < height)
                words = " ".join(picture.itertext())
                self.assertIn(gpu.device(), words)

    def test_the_scale_of_an_axis(self):
        axis = results.plots.Axis([1, 100], 0, 200, margin=1)
        self.assertEqual([axis.at(value) for value in (1, 10, 100)], [0, 100, 200])
        self.assertEqual(axis.ticks(), [1, 2, 5, 10, 20, 50, 100])
        self.assertEqual(axis.apart([1, 1.01, 10]), [1, 10])


def timed(software, ms, setting="2t", **more):
    """A line of compare.py."""
    return {"kind": "layer", "software": software, "version": "1", "setting": setting, "cell": "lstm", "T": 64,
            "B": 32, "I": 16, "H": 16, "mode": "train", "ms": ms, "gflops": 1.0, **more}


def step(software, ms, **more):
    return timed(software, ms, kind="char", layers=2, mode="step", **more)


CPU = [{"kind": "environment", "cpu": "Some CPU", "commit": "abc", "passes": 2, "seconds": 0.25, "quick": False,
        "date": "2026-01-02", "cores": 2, "system": "Linux", "jdk": "17", "command": "compare.py"},
       timed("Unroll", 2.0), timed("PyTorch", 3.0), timed("PyTorch", 5.0, "1t"), timed("DL4J", 32.0),
       timed("Unroll", 1.0, mode="infer"), timed("ONNX Runtime", 1.5, mode="infer"),
       *(timed("Unroll", float(n), B=n, part="sweep") for n in (1, 2, 4, 8)),
       *(timed("PyTorch", 9.0 * n, B=n, part="sweep") for n in (1, 2, 4, 8)),
       step("Unroll", 4.0), step("PyTorch", 6.0), step("DJL", 5.0),
       step("Unroll", 1.0, T=50, B=50, I=65), step("DJL", 4.0, T=50, B=50, I=65),
       {"kind": "memory", "software": "Unroll", "mode": "train", "rss_mb": 100.0},
       {"kind": "memory", "software": "PyTorch", "mode": "step", "rss_mb": 321.0},
       {"kind": "start", "software": "ONNX Runtime", "cell": "lstm", "seconds": 0.321},
       {"kind": "absent", "software": "DL4J", "what": "gru", "why": "it has no GRU layer"}]


class CpuRunTest(unittest.TestCase):
    """What compare.py leaves."""

    def test_each_peer_stands_by_itself(self):
        table = results.each_peer(run(CPU, "2026-01-02-0304-cpu"))
        self.assertIn("| Unroll | 1 | 1 | 1 | – | – |", table)
        # 6/4 alone, because the other step was not its.
        self.assertIn("| PyTorch | – | 1.50 (1.50 to 1.50), n=1 | 1.50 (1.50 to 1.50), n=1 | 321 | – |", table)
        # sqrt(5/4 * 4/1), by hand.
        self.assertIn("| DJL | – | – | 2.24 (1.25 to 4.00), n=2 | – | – |", table)
        self.assertIn("| DL4J | – | 16.00 (16.00 to 16.00), n=1 | – | – | – |", table)
        self.assertIn("| ONNX Runtime | 1.50 (1.50 to 1.50), n=1 | – | – | – | 0.32 |", table)

    def test_sizes_that_grow_are_in_no_mean(self):
        cpu = run(CPU, "2026-01-02-0304-cpu")
        self.assertEqual([row[1:] for row in results.mean_rows(cpu)],
                         [["lstm", "1.50 (1.50 to 1.50)", "1.50 (1.50 to 1.50)"],
                          ["all", "1.50 (1.50 to 1.50)", "1.50 (1.50 to 1.50)"]])
        self.assertEqual(6, len(cpu.cases))
        page = results.page(cpu)
        # 4 ms over 64 steps, and nine times that.
        self.assertIn("| B, lstm | 64,4,16,16 | 62.5 | 562 | PyTorch 2t | 9.00 |", page)
        self.assertIn("growth.svg", page)

    def test_three_sizes_are_no_growth(self):
        # With the case of 32 rows.
        few = [line for line in CPU if line.get("part") != "sweep" or line["B"] < 4]
        self.assertNotIn("64,2,16,16", results.page(run(few, "2026-01-02-0304-cpu")))

    def test_whole_steps_stand_against_the_best_peer(self):
        rows = results.whole_steps(run(CPU, "2026-01-02-0304-cpu"))
        self.assertEqual(rows[0], ["a whole char-rnn step, 2 layers of 16, lstm, against DJL", "", "1.25"])
        self.assertEqual(rows[1][2], "4.00 (4.00 to 4.00)")
        self.assertIn("| lstm | 2 | 64,32,16,16 | 512,000 | 341,333 | 409,600 | 1.25 | DJL 2t |",
                      report.characters(CPU))

    def test_what_a_peer_has_not_is_a_row_that_says_why(self):
        self.assertIn("| DL4J | gru | it has no GRU layer |", results.page(run(CPU, "2026-01-02-0304-cpu")))


class VariantsOfCpuTest(unittest.TestCase):
    """Layers, directions and ragged rows of compare.py."""
    TWO = {"layers": 2, "direction": "one", "lengths": "full"}
    RAGGED = {"layers": 1, "direction": "one", "lengths": "ragged"}
    LINES = [timed("Unroll", 2.0, **TWO), timed("PyTorch", 5.0, **TWO), timed("DJL", 4.0, "1t", **TWO),
             timed("Unroll", 1.0, **RAGGED), timed("PyTorch", 0.5, **RAGGED)]

    def test_each_is_a_row_with_every_peer(self):
        for lines in (CPU[:1] + self.LINES, CPU + self.LINES):
            page = results.page(run(lines, "2026-01-02-0304-cpu"))
            self.assertEqual(page.count("Layers, directions and ragged rows"), 1)
            # 6*64*32*2*32*4*16 operations in 2 ms, by hand; of ragged rows, 64 down to 33 steps, less.
            self.assertIn("| lstm | train | 64,32,16,16, 2 layers | 2.00 | 25.2 | 5.00 | 4.00 | DJL 1t | 2.00 |", page)
            self.assertIn("| lstm | train | 64,32,16,16, ragged | 1.00 | 19.1 | 0.500 | – | PyTorch 2t | 0.50 |", page)

    def test_they_change_no_mean_of_single_layers(self):
        alone, more = (run(lines, "2026-01-02-0304-cpu") for lines in (CPU, CPU + self.LINES))
        self.assertEqual(results.mean_rows(more)[:-1], results.mean_rows(alone))
        self.assertEqual(results.mean_rows(more)[-1][1:], ["layers, directions, ragged rows", "–", "1.00 (0.50 to 2.00)"])
        for table in (results.each_peer, results.where_peers_are_faster, results.whole_steps):
            self.assertEqual(table(more), table(alone))
        self.assertEqual(results.latest([run(CPU[:1] + self.LINES, "2026-01-03-0304-cpu"), alone]), [alone])


class KeptPageTest(unittest.TestCase):
    """The run whose raw lines were not kept: what was read from its page is what stands there."""

    def test_data_are_the_tables_of_the_page(self):
        folder = os.path.join(results.HERE, "results")
        page = results.text_of(os.path.join(folder, "cpu-peers.md"))
        name = "2026-11-24-0834-cpu"
        kept = data.parse(results.text_of(os.path.join(folder, "data", name + ".jsonl")), name)
        lines = [{**line, "gflops": case["gflops"]} for line, case in zip(
            [line for line in kept.lines if data.is_case(line)], kept.cases)]
        rows = 0
        for cell in ("rnn", "gru", "lstm"):
            for row in report.cell_table(lines, cell, kept.peak("FP32")).splitlines()[4:]:
                said = cells(row)
                found = [cells(line) for line in page.split(f"## {cell}\n")[1].split("\n## ")[0].splitlines()
                         if line.startswith(f"| {said[0]} |")][0]
                # Shares and rates come from times of three digits, so the last digit may differ.
                for n, (mine, theirs) in enumerate(zip(said, found)):
                    if n % 6 in (2, 3, 0) and n > 0:
                        self.assertAlmostEqual(float(mine) / float(theirs), 1, delta=0.04)
                    else:
                        self.assertEqual(mine, theirs)
                rows += 1
        self.assertEqual(rows, 24)
        for row in report.characters(kept.lines).splitlines()[6:]:
            cell, _, _, own, peer, ratio, who = cells(row)
            setting = who.replace("PyTorch ", "")
            self.assertIn(f"| {cell} | {own} | {peer} | {setting} | {ratio} |", page)
        for row in report.memory_and_start(kept.lines).splitlines()[6:]:
            name, memory, start = cells(row)
            self.assertIn(f"| {name} | {memory} |", page)
            self.assertEqual(start, "0.13" if name == "Unroll" else "–")


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


if __name__ == "__main__":
    unittest.main()
