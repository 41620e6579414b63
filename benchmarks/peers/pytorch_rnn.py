#!/usr/bin/env python3
"""Times torch.nn.RNN, GRU and LSTM over the shapes of benchmarks/grid.txt: a line of JSON for each case.

What is timed is what "unroll bench --grid" times: forward is y from x; train is forward, then backward
from a fixed gradient of y to the gradients of x and of all weights and biases, without loss and update.
ms, p25 and p75 are the host's clock around work and synchronisation, as Unroll's are; event_ms is the
median of as many runs between CUDA events. A case that fails is a line with "error", one without time one with
"skipped". The first line tells the machine. pytorch_table.py joins the lines with Unroll's.
"""

import argparse
import datetime
import functools
import json
import os
import platform
import signal
import subprocess
import sys
import time

CELLS = {"tanh": ("RNN", 1), "gru": ("GRU", 3), "lstm": ("LSTM", 4)}
MODES = ("forward", "train")
PRECISIONS = ("FP32", "TF32", "FP16", "BF16")
WAYS = ("plain", "graph", "compile")
LEAST_RUNS = 5
WHOLE = 1.5  # warming up takes half as long as timing does
COMPILE_LIMIT = 60


class Failed(Exception):
    """A case cannot be timed; the message says why."""


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--grid", metavar="FILE", default=os.path.join(here, "..", "grid.txt"),
                        help="cells and shapes; default benchmarks/grid.txt")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--precisions", type=functools.partial(chosen, PRECISIONS),
                        default=PRECISIONS, metavar="A,B", help="of " + " ".join(PRECISIONS))
    parser.add_argument("--ways", type=functools.partial(chosen, WAYS), default=WAYS,
                        metavar="A,B", help="of " + " ".join(WAYS) + "; the last where time is left")
    parser.add_argument("--seconds", type=float, default=0.3,
                        help="timed in each case at most; default 0.3")
    parser.add_argument("--budget", type=float, default=600, help="seconds for all; default 600")
    return parser.parse_args(arguments)


def chosen(allowed, text):
    for part in text.split(","):
        if part not in allowed:
            raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(allowed)}")
    return tuple(text.split(","))


def read_grid(path):
    """All (cell, (T, B, I, H)) of a grid file that PyTorch has."""
    cases = []
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            shape = words[1].split(",") if len(words) == 2 else []
            if len(shape) != 4 or not all(size.isdigit() and int(size) > 0 for size in shape):
                raise SystemExit(f"{path}, line {number}: must be cells and a shape T,B,I,H,"
                                 f" such as \"gru,lstm 64,32,512,512\", but is {line.strip()!r}")
            cases += [(cell, tuple(map(int, shape))) for cell in words[0].split(",")
                      if cell in CELLS]
    if not cases:
        raise SystemExit(f"{path} has no line such as \"gru,lstm 64,32,512,512\"")
    return cases


def ask_driver(*fields):
    """What nvidia-smi tells of the first device, or {} where it is not there."""
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader", "-i", "0"],
            capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(zip(fields, (value.strip() for value in said.split(","))))


def environment(torch, device):
    line = {"kind": "environment", "software": "PyTorch", "torch": torch.__version__,
            "date": now(), "python": platform.python_version(), "system": platform.platform(),
            "device": device}
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        line.update(description=properties.name, cuda=torch.version.cuda,
                    cudnn=torch.backends.cudnn.version(), units=properties.multi_processor_count,
                    **ask_driver("driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm",
                                 "power.limit", "temperature.gpu"))
    else:
        line.update(description=platform.processor() or platform.machine(),
                    threads=torch.get_num_threads())
    return line


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Case:
    """One layer at one shape, with the input on the device."""

    def __init__(self, torch, device, precision, cell, shape, mode):
        self.torch, self.device, self.mode = torch, device, mode
        if device == "cpu" and precision == "TF32":
            raise Failed("TF32 needs CUDA")
        tf32 = precision == "TF32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        dtype = {"FP16": torch.float16, "BF16": torch.bfloat16}.get(precision, torch.float32)
        steps, batch, inputs, hidden = shape
        torch.manual_seed(1)
        layer = getattr(torch.nn, CELLS[cell][0])(inputs, hidden)
        self.layer = layer.to(device=device, dtype=dtype)
        self.weights = list(self.layer.parameters())
        self.x = self.uniform(dtype, steps, batch, inputs).requires_grad_(mode == "train")
        self.dy = self.uniform(dtype, steps, batch, hidden)

    def uniform(self, dtype, *shape):
        return (self.torch.rand(*shape) * 2 - 1).to(device=self.device, dtype=dtype)

    def run(self):
        """The results of one run: y, and in mode train all gradients."""
        if self.mode == "forward":
            with self.torch.no_grad():
                return [self.layer(self.x)[0]]
        y = self.layer(self.x)[0]
        return [y, *self.torch.autograd.grad(y, [self.x, *self.weights], self.dy)]

    def captured(self):
        """A function that replays a CUDA graph of run."""
        if self.device != "cuda":
            raise Failed("a CUDA graph needs CUDA")
        stream = self.torch.cuda.Stream()
        stream.wait_stream(self.torch.cuda.current_stream())
        with self.torch.cuda.stream(stream):
            for _ in range(3):
                self.run()
        self.torch.cuda.current_stream().wait_stream(stream)
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            results = self.run()

        def replay():
            graph.replay()
            return results

        return replay

    def compiled(self):
        """run with a compiled layer, which has run once."""
        if not hasattr(self.torch, "compile"):
            raise Failed(f"PyTorch {self.torch.__version__} has no torch.compile")
        self.torch._dynamo.reset()
        self.layer = self.torch.compile(self.layer)
        with limit(COMPILE_LIMIT, "torch.compile"):
            self.run()
            self.synchronize()
        return self.run

    def prepared(self, way):
        return {"plain": lambda: self.run, "graph": self.captured,
                "compile": self.compiled}[way]()

    def synchronize(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def repeat(self, run, at_least):
        """Milliseconds of each run by the host's clock, and of as many others by events, ascending."""
        wall, events = [], []
        end = time.perf_counter() + at_least
        while len(wall) < LEAST_RUNS or time.perf_counter() < end:
            self.synchronize()
            begun = time.perf_counter()
            run()
            self.synchronize()
            wall.append((time.perf_counter() - begun) * 1e3)
            if self.device == "cuda":
                first, last = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
                first.record()
                run()
                last.record()
                self.synchronize()
                events.append(first.elapsed_time(last))
        return sorted(wall), sorted(events)

    def measure(self, way, seconds):
        run = self.prepared(way)
        self.repeat(run, seconds / 2)
        for n, result in enumerate(run()):
            if not self.torch.isfinite(result).all():
                raise Failed(f"result {n} (0 is y, then the gradients of x and of the weights)"
                             " holds NaN or infinity; the times would mean nothing")
        wall, events = self.repeat(run, seconds)
        line = {"ms": quantile(wall, 0.5), "p25": quantile(wall, 0.25),
                "p75": quantile(wall, 0.75), "runs": len(wall)}
        if events:
            line.update(event_ms=quantile(events, 0.5), event_p25=quantile(events, 0.25),
                        event_p75=quantile(events, 0.75))
        return line


class limit:
    """Ends what runs inside after some seconds, where it comes back to Python."""

    def __init__(self, seconds, what):
        self.seconds, self.what = seconds, what

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.end)
        signal.alarm(self.seconds)

    def __exit__(self, *_):
        signal.alarm(0)

    def end(self, *_):
        raise Failed(f"{self.what} took more than {self.seconds} s")


def quantile(ascending, share):
    at = share * (len(ascending) - 1)
    below = int(at)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (at - below) * (ascending[above] - ascending[below])


def operations(cell, shape, mode):
    """Of the matrix products, as Unroll counts them: 2*T*B*(I+H)*G*H, three times that for train."""
    steps, batch, inputs, hidden = shape
    return ((3 if mode == "train" else 1) * 2.0 * steps * batch * (inputs + hidden)
            * CELLS[cell][1] * hidden)


def timed(torch, options, case, seconds):
    """What is to be added to the line of a case."""
    way, precision, cell, shape, mode = case
    try:
        line = Case(torch, options.device, precision, cell, shape, mode).measure(way, seconds)
        line["gflops"] = operations(cell, shape, mode) / line["ms"] / 1e6
        return line
    except Failed as failure:
        return {"error": str(failure)}
    except Exception as failure:  # whatever one case does, the others go on
        return {"error": f"{type(failure).__name__}: {failure}".splitlines()[0]}


def main(arguments):
    options = parse(arguments)
    cases = [(way, precision, cell, shape, mode) for way in WAYS if way in options.ways
             for cell, shape in read_grid(options.grid) for mode in MODES
             for precision in options.precisions]
    try:
        import torch
    except ImportError as failure:
        raise SystemExit(f"PyTorch is not installed for {sys.executable}: {failure}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit(f"PyTorch {torch.__version__} finds no CUDA device")
    end = time.monotonic() + options.budget
    print(json.dumps(environment(torch, options.device)), flush=True)
    times = 0
    for n, case in enumerate(cases):
        way, precision, cell, shape, mode = case
        line = {"software": "PyTorch", "setting": way, "precision": precision, "cell": cell,
                **dict(zip("TBIH", shape)), "layers": 1, "mode": mode, "date": now()}
        left = end - time.monotonic()
        if left <= 0:
            line["skipped"] = f"the budget of {options.budget:g} s was spent"
        else:
            line.update(timed(torch, options, case,
                              min(options.seconds, left / (len(cases) - n) / WHOLE)))
        times += "ms" in line
        print(json.dumps(line), flush=True)
    if times == 0:
        raise SystemExit("no case could be timed; the lines say why")


if __name__ == "__main__":
    main(sys.argv[1:])
