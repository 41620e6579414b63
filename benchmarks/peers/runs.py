"""A run of compare.py: its lines, its time, and the processes that it starts one after the other."""

import json
import os
import resource
import subprocess
import sys
import time

import peers as programs
import report

CHILD_LIMIT = 600
# Of the time at the end, what is kept for the report and the pages, in seconds.
RESERVE = 20
# A later pass leaves out a setting that was slower by this than the best one of the same software.
HOPELESS = 1.2


class Run:
    def __init__(self, options):
        self.options = options
        self.lines = []
        self.notes = []
        self.failures = 0
        self.begun = time.monotonic()
        self.left_out = {}
        self.log = os.path.splitext(options.out)[0] + ".jsonl"
        os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
        open(self.log, "w").close()

    def begin(self):
        """The budget counts from here: what was built before does not."""
        self.begun = time.monotonic()

    def minutes(self):
        return (time.monotonic() - self.begun) / 60

    def left(self):
        """Seconds until the budget is spent."""
        if not self.options.budget:
            return float("inf")
        return 60 * self.options.budget - RESERVE - (time.monotonic() - self.begun)

    def note(self, text):
        print("! " + text, file=sys.stderr)
        self.notes.append(text)
        self.add({"kind": "note", "text": text})

    def leave_out(self, what):
        """Counts what the budget has no time for; told at the end in one line each."""
        self.left_out[what] = self.left_out.get(what, 0) + 1

    def tell_left_out(self):
        for what, count in self.left_out.items():
            self.note(f"the budget of {self.options.budget:g} minutes was spent: left out {what}"
                      + (f", {count} times" if count > 1 else ""))

    def add(self, line):
        # What a program says of itself may hold folders of this machine.
        text = json.dumps(line).replace(programs.ROOT, ".").replace(os.path.expanduser("~"), "~")
        self.lines.append(json.loads(text))
        with open(self.log, "a") as out:
            out.write(text + "\n")

    def child(self, peer, setting, tasks, quiet=False, more=None):
        """Runs tasks in a new process; more is added to the lines that it printed, which are returned."""
        options = self.options
        if self.left() < 1:
            self.leave_out(f"{peer.key} ({setting.name}) {tasks[0]} and what follows it")
            return []
        wait_for_others(options.patience)
        command = peer.command(setting, [*self.timing(), *tasks])
        if not quiet:
            print(f"{time.monotonic() - self.begun:4.0f} s {peer.key} ({setting.name}):"
                  f" {' '.join(tasks)}", file=sys.stderr)
        lines = self.execute(command, peer.environment(setting), f"{peer.key} ({setting.name})")
        for line in lines:
            if line["kind"] != "error":
                line.update(more or {})
            self.add(line)
            if line["kind"] == "error":
                self.failures += 1
                self.note(f"{peer.key} ({setting.name}) {line['task']}: {line['message']}")
        return lines

    def timing(self):
        seconds = self.options.seconds
        return ["--seconds", str(seconds), "--warm", str(min(seconds, 0.5)), "--warm-runs", "5",
                "--warm-limit", str(min(4 * seconds, 4)), "--runs", "3" if seconds < 1 else "5",
                "--case-limit", str(max(8, 20 * seconds))]

    def execute(self, command, env, who):
        limit = min(CHILD_LIMIT, self.left())
        begun = time.monotonic()
        try:
            done = subprocess.run(command, env=env, cwd=programs.TARGET, text=True,
                                  capture_output=True, timeout=limit)
            out = done.stdout
        except subprocess.TimeoutExpired as stopped:
            out = (stopped.stdout or b"").decode(errors="replace")
            done = None
        lines = []
        for line in out.splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                lines.append(json.loads(line))
        if done is None:
            self.failures += 1
            self.note(f"{who} was stopped after {time.monotonic() - begun:.0f} s, with"
                      f" {len(lines)} results")
        elif done.returncode != 0 and not any(line["kind"] == "error" for line in lines):
            self.failures += 1
            tail = " | ".join(done.stderr.strip().splitlines()[-4:])
            self.note(f"{who} ended with {done.returncode}: {tail}")
        return lines

    def hopeless(self, software, setting, task):
        """Whether a task was clearly slower with a setting than with another one of the same software."""
        found = [line for line in self.lines if line.get("software") == software
                 and task_of(line) == task and line.get("others", 0) <= report.DISTURBED]
        mine = [line["ms"] for line in found if line["setting"] == setting.name]
        return bool(mine) and min(mine) > HOPELESS * min(line["ms"] for line in found)


def task_of(line):
    """What a child was asked for to print a line, or None."""
    if line.get("kind") == "layer":
        task = ":".join(("layer", line["cell"], report.shape_of(line), line["mode"]))
        return task if report.is_single(line) else f"{task}:{line['layers']}:{line['direction']}:{line['lengths']}"
    if line.get("kind") == "char":
        return ":".join(("char", line["cell"], str(line["layers"]), report.shape_of(line)))
    return "classic" if line.get("kind") == "classic" else None


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
