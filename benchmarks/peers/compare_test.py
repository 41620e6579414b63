#!/usr/bin/env python3
"""Tests of compare.py without its programs: python3 benchmarks/peers/compare_test.py"""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

import compare
import parts
from parts import grid
import peers as programs
import report
import runs

SHAPE = "64,1,8,8"
TASK = f"layer:lstm:{SHAPE}:train"


class Fake(programs.Peer):
    """A program that prints what a text of Python prints."""

    def __init__(self, key, text, *settings):
        super().__init__(key, key, "", [programs.Setting(name, 2) for name in settings or ("2t",)])
        self.text = text

    def command(self, setting, arguments):
        return [sys.executable, "-c", self.text, setting.name, *arguments]


def line(software, ms, setting="2t", **more):
    return {"kind": "layer", "software": software, "setting": setting, "cell": "lstm", "T": 64, "B": 1,
            "I": 8, "H": 8, "mode": "train", "ms": ms, "gflops": 1.0, "others": 0, **more}


class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(programs.TARGET, exist_ok=True)

    def run_of(self, *arguments):
        return runs.Run(compare.parse(["--out", os.path.join(self.folder, "report.md"), *arguments]))

    @staticmethod
    def quietly(call):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            call()
        return said.getvalue()

    def test_a_program_that_fails_is_a_note_that_says_why(self):
        run = self.run_of()
        self.quietly(lambda: run.child(Fake("bad", "import sys; sys.exit('no such library')"), programs.Setting("2t", 2),
                                       [TASK]))
        self.assertEqual(run.notes, ["bad (2t) ended with 1: no such library"])
        self.assertEqual(run.failures, 1)

    def test_a_task_that_fails_is_a_note_and_the_others_count(self):
        run = self.run_of()
        printed = [line("half", 3.0), {"kind": "error", "task": "char", "message": "no memory"}]
        text = f"import sys\nfor line in {[json.dumps(each) for each in printed]!r}: print(line)\nsys.exit(1)"
        self.quietly(lambda: run.child(Fake("half", text), programs.Setting("2t", 2), [TASK, "char"]))
        self.assertEqual(run.notes, ["half (2t) char: no memory"])
        self.assertEqual(len(report.layers(run.lines)), 1)

    def test_what_was_printed_before_the_end_of_the_budget_counts(self):
        run = self.run_of("--budget", str((runs.RESERVE + 3) / 60))
        text = f"import time\nprint({json.dumps(line('slow', 3.0))!r}, flush=True)\nprint('{{\"kind', end='', flush=True)\ntime.sleep(60)"
        self.quietly(lambda: run.child(Fake("slow", text), programs.Setting("2t", 2), [TASK]))
        self.assertEqual(len(report.layers(run.lines)), 1)
        self.assertRegex(run.notes[0], r"slow \(2t\) was stopped after \d+ s, with 1 results")

    def test_nothing_begins_when_the_budget_is_spent(self):
        run = self.run_of("--budget", str(runs.RESERVE / 60))
        for _ in range(2):
            run.child(Fake("late", "print(1)"), programs.Setting("2t", 2), [TASK])
        run.leave_out("a pass of layers of gru")
        self.quietly(run.tell_left_out)
        self.assertEqual([note.split("left out ")[1] for note in run.notes],
                         [f"late (2t) {TASK} and what follows it, 2 times", "a pass of layers of gru"])

    def test_a_pass_that_cannot_be_finished_is_not_begun(self):
        run = self.run_of("--budget", "10")
        self.assertTrue(parts.enough_time(run, {}, "layers of gru"))
        self.assertTrue(parts.enough_time(run, {"layers of gru": 500}, "layers of gru"))
        self.assertFalse(parts.enough_time(run, {"layers of gru": 700}, "layers of gru"))

    def test_a_later_pass_leaves_out_hopeless_settings_only(self):
        run = self.run_of()
        fast, near, far, disturbed, new = (programs.Setting(name, 2) for name in ("a", "b", "c", "d", "e"))
        for each in (line("x", 10.0, "a"), line("x", 11.9, "b"), line("x", 12.1, "c"),
                     line("x", 99.0, "d", others=1), line("y", 1.0, "b")):
            run.add(each)
        self.assertEqual([run.hopeless("x", setting, TASK) for setting in (fast, near, far, disturbed, new)],
                         [False, False, True, False, False])

    def test_tasks_are_told_from_what_came_of_them(self):
        self.assertEqual(runs.task_of(line("x", 1.0)), TASK)
        whole = line("x", 1.0, kind="char", layers=2)
        self.assertEqual(runs.task_of(whole), f"char:lstm:2:{SHAPE}")
        self.assertIsNone(runs.task_of({"kind": "config"}))

    def test_the_grid_is_what_is_timed(self):
        options = compare.parse([])
        shapes = {shape for _, shape, _ in parts.layer_tasks(options, "gru")}
        self.assertLessEqual({"64,1,128,128", "128,16,129,129", "64,3,650,650", "64,64,1024,1024"}, shapes)
        self.assertNotIn("1024,16,768,768", shapes)
        self.assertIn(("char:rnn:2:64,64,96,512", "rnn", 2, "64,64,96,512"), parts.step_tasks(options))
        swept = [task for task, _, _ in parts.sweep_tasks(options, "lstm")]
        self.assertIn("layer:lstm:64,3,256,256:train", swept)
        self.assertNotIn("layer:lstm:64,32,512,512:train", swept)
        self.assertEqual(parts.sweep_tasks(options, "gru"), [])

    def test_every_variant_of_the_grid_is_timed_by_all_that_have_it(self):
        options = compare.parse(["--parts", "variants"])
        wanted = [case for case in grid.read(parts.GRID) if case.mode != "step" and not grid.is_single(case)]
        self.assertEqual(len(wanted), 14)
        for peer, at_least in zip(programs.all_peers(), (14, 14, 7, 8, 2)):
            took = [case for cell in options.cells for _, _, mode, case in parts.variant_tasks(options, cell)
                    if mode in peer.modes and peer.takes_variant(peer.settings[0], cell, case)]
            self.assertEqual(len(took), at_least, peer.key)
            if at_least == 14:
                self.assertEqual(set(took), set(wanted))
        self.assertIn(("layer:lstm:128,33,200,200:train:3:both:ragged", "128,33,200,200", "train"),
                      [task[:3] for task in parts.variant_tasks(options, "lstm")])

    def test_variants_are_their_own_part(self):
        self.assertNotIn("variants", compare.parse([]).parts)
        unroll, _, _, djl, _ = programs.all_peers()
        both = compare.parse(["--cells", "gru", "--parts", "layers,variants"])
        self.assertEqual(parts.agreement_tasks(both, unroll), ["agree:gru", "agree:gru:2:one:full", "agree:gru:1:both:full",
                                                               "agree:gru:1:one:ragged"])
        self.assertEqual(parts.agreement_tasks(both, djl), ["agree:gru", "agree:gru:2:one:full", "agree:gru:1:both:full"])
        self.assertEqual(parts.agreement_tasks(compare.parse(["--cells", "gru"]), unroll), ["agree:gru"])

    def test_who_has_no_ragged_rows_is_a_line_that_says_why(self):
        run = self.run_of("--parts", "variants", "--cells", "lstm")
        djl = Fake("djl", "", "2t")
        djl.lacks_variants = programs.all_peers()[3].lacks_variants
        self.quietly(lambda: parts.variants(run, [djl]))
        self.assertRegex(report.absent(run.lines), r"\| djl \| ragged rows \| it does not offer them")

    def test_variants_are_in_no_mean_and_no_other_table(self):
        one = [line("Unroll", 2.0), line("PyTorch", 3.0)]
        more = {"layers": 2, "direction": "both", "lengths": "ragged"}
        two = [line("Unroll", 1.0, **more), line("PyTorch", 9.0, **more), line("PyTorch", 8.0, "1t", **more)]
        for table in (report.means, report.each_peer, report.settings, report.growth):
            self.assertEqual(table(one + two), table(one))
        self.assertEqual(report.cell_table(one + two, "lstm", None), report.cell_table(one, "lstm", None))
        swept = [line("Unroll", float(n), B=n, part="sweep") for n in (1, 2, 4, 8)]
        self.assertEqual(report.growth(swept + [line("Unroll", 99.0, B=1, **more)]), report.growth(swept))
        self.assertIn(f"| lstm | train | {SHAPE}, 2 layers, both directions, ragged | 1.00 |", report.variants(one + two))
        self.assertIn("| 8.00 | PyTorch 1t | 8.00 |", report.variants(one + two))
        self.assertNotIn(f"| {SHAPE} |", report.variants(one + two))
        self.assertEqual(runs.task_of(two[0]), TASK + ":2:both:ragged")

    def test_sums_of_variants_are_compared_with_the_same_variant(self):
        ours = {("gru", ""): {"y": 1.0}, ("gru", "2 layers"): {"y": 2.0}}
        compare.compare_sums("x", ours, {("gru", "2 layers"): {"y": 2.0}})
        for wrong in (1.0, float("nan")):
            with self.assertRaisesRegex(SystemExit, "on y of gru 2 layers"):
                compare.compare_sums("x", ours, {("gru", "2 layers"): {"y": wrong}})

    def test_one_thread_is_tried_where_it_may_win(self):
        unroll, _, _, _, dl4j = programs.all_peers()
        two, one = unroll.settings
        self.assertTrue(unroll.takes(one, "gru", "64,1,128,128", "train"))
        self.assertFalse(unroll.takes(one, "gru", "64,64,1024,1024", "train"))
        self.assertTrue(unroll.takes_step(two, "gru", 2, "64,64,96,512"))
        self.assertFalse(dl4j.takes_step(dl4j.settings[0], "gru", 2, "64,64,96,512"))
        self.assertFalse(dl4j.takes_step(dl4j.settings[0], "lstm", 3, "50,50,65,64"))

    def test_only_a_whole_run_is_published(self):
        for extra in (["--quick"], ["--only-unroll"], ["--peers-from", "x"]):
            with self.assertRaises(SystemExit):
                compare.parse(["--publish", *extra])

    def test_lines_hold_no_folder_of_the_machine(self):
        run = self.run_of()
        run.add({"kind": "note", "text": f"{programs.ROOT}/target {os.path.expanduser('~')}/x"})
        with open(run.log) as log:
            self.assertEqual(json.loads(log.read())["text"], "./target ~/x")


if __name__ == "__main__":
    unittest.main()
