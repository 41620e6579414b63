#!/usr/bin/env python3
"""Times torch.nn.RNN, GRU and LSTM over the cases of benchmarks/grid.txt: a line of JSON for each case.

What is timed is what "unroll bench --grid" times: forward is y from x; train is forward, then backward
from a fixed gradient of y to the gradients of x and of all weights and biases, without loss and update; step is
a whole training step of a char-rnn: one-hot vectors, layers, linear, cross-entropy, backward, norm clipped at 5, Adam.
Ragged rows are packed. In FP16 and BF16 a step keeps float32 weights and runs under autocast, all else is in that type.
ms, p25 and p75 are the host's clock around work and synchronisation, as Unroll's are; event_ms is the
median of as many runs between CUDA events, cold_ms of some before each of which more than the L2 cache holds was
written. memory_mb is the most that PyTorch's allocator held. A case that fails is a line with "error", one without
time one with "skipped". The first line tells the machine. pytorch_table.py joins the lines with Unroll's.
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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.dirname(HERE)]
import grid  # noqa: E402

CELLS = {"tanh": "RNN", "relu": "RNN", "gru": "GRU", "lstm": "LSTM"}
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
    parser.add_argument("--grid", metavar="FILE", default=os.path.join(HERE, "..", "grid.txt"),
                        help="what to time; default benchmarks/grid.txt")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=(), metavar="A,B",
                        help="only lines of the grid that are in one of these sets")
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
    """A network at one shape, with its input on the device."""

    def __init__(self, torch, device, precision, what):
        self.torch, self.device, self.mode = torch, device, what.mode
        if device == "cpu" and precision == "TF32":
            raise Failed("TF32 needs CUDA")
        tf32 = precision == "TF32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        half = {"FP16": torch.float16, "BF16": torch.bfloat16}.get(precision)
        self.autocast = half if self.mode == "step" else None
        self.dtype = half if half and not self.autocast else torch.float32
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        steps, batch, inputs, hidden = what.shape
        torch.manual_seed(1)
        more = {"nonlinearity": what.cell} if CELLS[what.cell] == "RNN" else {}
        layer = getattr(torch.nn, CELLS[what.cell])(
            inputs, hidden, num_layers=what.layers, bidirectional=what.direction == "both", **more)
        self.layer = layer.to(device=device, dtype=self.dtype)
        self.weights = list(self.layer.parameters())
        if self.mode == "step":
            self.prepare_step(steps, batch, inputs, hidden)
            return
        wide = hidden * grid.directions(what)
        self.x = self.uniform(steps, batch, inputs).requires_grad_(self.mode == "train")
        self.dy = self.uniform(steps, batch, wide)
        self.lengths = grid.lengths_of(what) if what.lengths == "ragged" else None

    def uniform(self, *shape):
        return (self.torch.rand(*shape) * 2 - 1).to(device=self.device, dtype=self.dtype)

    def prepare_step(self, steps, batch, symbols, hidden):
        torch, cuda = self.torch, self.device == "cuda"
        self.symbols = symbols
        self.tokens = torch.randint(symbols, (steps + 1, batch), device=self.device)
        self.head = torch.nn.Linear(hidden, symbols).to(self.device)
        self.weights += list(self.head.parameters())
        # Its update runs in one kernel and inside of a graph, where the device has that.
        self.adam = torch.optim.Adam(self.weights, lr=2e-3, **({"fused": True, "capturable": True} if cuda else {}))

    def run(self):
        """The results of one run: y, and in mode train all gradients; in mode step the loss."""
        if self.mode == "forward":
            with self.torch.no_grad():
                return [self.forward()]
        if self.mode == "step":
            return [self.step()]
        y = self.forward()
        return [y, *self.torch.autograd.grad(y, [self.x, *self.weights], self.dy)]

    def forward(self):
        if self.lengths is None:
            return self.layer(self.x)[0]
        rnn = self.torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(self.x, self.lengths, enforce_sorted=True)
        return rnn.pad_packed_sequence(self.layer(packed)[0], total_length=self.x.shape[0])[0]

    def step(self):
        functional = self.torch.nn.functional
        with self.torch.autocast(self.device, dtype=self.autocast, enabled=self.autocast is not None):
            x = functional.one_hot(self.tokens[:-1], self.symbols).to(self.torch.float32)
            logits = self.head(self.layer(x)[0])
            loss = functional.cross_entropy(logits.flatten(0, 1).float(), self.tokens[1:].flatten())
        self.adam.zero_grad(set_to_none=False)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.weights, 5.0)
        self.adam.step()
        return loss.detach()

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
                events.append(self.between_events(run))
        return sorted(wall), sorted(events)

    def between_events(self, run):
        first, last = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        run()
        last.record()
        self.synchronize()
        return first.elapsed_time(last)

    def cold(self, run):
        """Milliseconds between events of runs that find nothing of theirs in the L2 cache."""
        size = 2 * getattr(self.torch.cuda.get_device_properties(0), "L2_cache_size", 128 << 20)
        written = self.torch.empty(size // 4, dtype=self.torch.int32, device=self.device)
        found = []
        for _ in range(LEAST_RUNS):
            written.zero_()
            self.synchronize()
            found.append(self.between_events(run))
        return sorted(found)

    def measure(self, way, seconds):
        run = self.prepared(way)
        self.repeat(run, seconds / 2)
        for n, result in enumerate(run()):
            if not self.torch.isfinite(result).all():
                raise Failed(f"result {n} (0 is y, then the gradients of x and of the weights)"
                             " holds NaN or infinity; the times would mean nothing")
        wall, events = self.repeat(run, seconds)
        memory = self.torch.cuda.max_memory_allocated() / 1e6 if self.device == "cuda" else None
        line = {"ms": quantile(wall, 0.5), "p25": quantile(wall, 0.25),
                "p75": quantile(wall, 0.75), "runs": len(wall)}
        if events:
            line.update(event_ms=quantile(events, 0.5), event_p25=quantile(events, 0.25),
                        event_p75=quantile(events, 0.75), memory_mb=memory,
                        cold_ms=quantile(self.cold(run), 0.5))
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


def timed(torch, options, case, seconds):
    """What is to be added to the line of a case."""
    way, precision, what = case
    try:
        line = Case(torch, options.device, precision, what).measure(way, seconds)
        line["gflops"] = grid.operations(what) / line["ms"] / 1e6
        line["gbytes"] = grid.least_bytes(what) / line["ms"] / 1e6
        line["tokens_per_s"] = sum(grid.lengths_of(what)) * 1e3 / line["ms"]
        return line
    except Failed as failure:
        return {"error": str(failure)}
    except Exception as failure:  # whatever one case does, the others go on
        return {"error": f"{type(failure).__name__}: {failure}".splitlines()[0]}


def main(arguments):
    options = parse(arguments)
    try:
        whats = [what for what in grid.read(options.grid, options.sets) if what.cell in CELLS]
    except grid.BadGrid as failure:
        raise SystemExit(str(failure)) from None
    cases = [(way, precision, what) for way in WAYS if way in options.ways for what in whats
             for precision in options.precisions if what.is_for(precision)]
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
        way, precision, what = case
        line = {"software": "PyTorch", "setting": way, "precision": precision, **what.fields(),
                "date": now()}
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
