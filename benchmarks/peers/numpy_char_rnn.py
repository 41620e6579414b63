"""The classic character model in numpy: one tanh layer of 100 units, 80 symbols, 25 steps.

gist: column vectors of float64, one-hot inputs, one step at a time, as people first met it in
      2015 in a hundred lines by Andrej Karpathy.
lean: float32, rows of the input weights instead of one-hot products, and one product over all
      steps wherever the recurrence allows it.

Prints a line of JSON for each: iterations a second, the median of the blocks it was timed in.
"""

import argparse
import json
import statistics
import time

import numpy as np

HIDDEN, SYMBOLS, STEPS = 100, 80, 25
RATE, CLIP, EPSILON = 0.1, 5.0, 1e-8


def text(length):
    drawn = np.random.default_rng(3).random(length)
    return (drawn * drawn * SYMBOLS).astype(np.int64)


class Gist:
    def __init__(self):
        draw = np.random.default_rng(1)
        self.w_in = draw.standard_normal((HIDDEN, SYMBOLS)) * 0.01
        self.w_rec = draw.standard_normal((HIDDEN, HIDDEN)) * 0.01
        self.w_out = draw.standard_normal((SYMBOLS, HIDDEN)) * 0.01
        self.b_hid = np.zeros((HIDDEN, 1))
        self.b_out = np.zeros((SYMBOLS, 1))
        self.weights = [self.w_in, self.w_rec, self.w_out, self.b_hid, self.b_out]
        self.squares = [np.zeros_like(w) for w in self.weights]
        self.state = np.zeros((HIDDEN, 1))

    def step(self, inputs, targets):
        loss, grads = self.gradients(inputs, targets)
        for weight, grad, square in zip(self.weights, grads, self.squares):
            square += grad * grad
            weight -= RATE * grad / np.sqrt(square + EPSILON)
        return loss

    def gradients(self, inputs, targets):
        xs, probs, loss = [], [], 0.0
        states = [self.state]
        for symbol, target in zip(inputs, targets):
            x = np.zeros((SYMBOLS, 1))
            x[symbol] = 1
            h = np.tanh(self.w_in @ x + self.w_rec @ states[-1] + self.b_hid)
            scores = np.exp(self.w_out @ h + self.b_out)
            p = scores / np.sum(scores)
            loss -= np.log(p[target, 0])
            xs.append(x)
            states.append(h)
            probs.append(p)
        grads = [np.zeros_like(w) for w in self.weights]
        d_in, d_rec, d_out, d_hid, d_score = grads
        carried = np.zeros((HIDDEN, 1))
        for t in range(len(inputs) - 1, -1, -1):
            dy = probs[t].copy()
            dy[targets[t]] -= 1
            d_out += dy @ states[t + 1].T
            d_score += dy
            dh = self.w_out.T @ dy + carried
            dz = (1 - states[t + 1] * states[t + 1]) * dh
            d_hid += dz
            d_in += dz @ xs[t].T
            d_rec += dz @ states[t].T
            carried = self.w_rec.T @ dz
        for grad in grads:
            np.clip(grad, -CLIP, CLIP, out=grad)
        self.state = states[-1]
        return loss, grads


class Lean:
    """Rows are time: h is [STEPS+1, HIDDEN]; all weights lie in one array, all gradients too."""

    def __init__(self):
        shapes = [(SYMBOLS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, SYMBOLS), (HIDDEN,), (SYMBOLS,)]
        size = sum(int(np.prod(shape)) for shape in shapes)
        draw = np.random.default_rng(1)
        self.all = (draw.standard_normal(size) * 0.01).astype(np.float32)
        self.grad = np.zeros(size, np.float32)
        self.square = np.zeros(size, np.float32)
        self.scratch = np.zeros(size, np.float32)
        self.w_in, self.w_rec, self.w_out, self.b_hid, self.b_out = cut(self.all, shapes)
        self.b_hid[:] = 0
        self.b_out[:] = 0
        self.d_in, self.d_rec, self.d_out, self.d_hid, self.d_score = cut(self.grad, shapes)
        self.h = np.zeros((STEPS + 1, HIDDEN), np.float32)
        self.zx = np.zeros((STEPS, HIDDEN), np.float32)
        self.dz = np.zeros((STEPS, HIDDEN), np.float32)
        self.slope = np.zeros((STEPS, HIDDEN), np.float32)
        self.dh = np.zeros((STEPS, HIDDEN), np.float32)
        self.row = np.zeros(HIDDEN, np.float32)
        self.scores = np.zeros((STEPS, SYMBOLS), np.float32)
        self.times = np.arange(STEPS)

    def step(self, inputs, targets):
        loss = self.forward(inputs, targets)
        self.backward(inputs)
        grad, scratch = self.grad, self.scratch
        np.clip(grad, -CLIP, CLIP, out=grad)
        np.multiply(grad, grad, out=scratch)
        self.square += scratch
        np.add(self.square, EPSILON, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(grad, scratch, out=scratch)
        scratch *= RATE
        self.all -= scratch
        self.h[0] = self.h[STEPS]
        return loss

    def forward(self, inputs, targets):
        h, row = self.h, self.row
        np.take(self.w_in, inputs, axis=0, out=self.zx)
        self.zx += self.b_hid
        for t in range(STEPS):
            np.dot(h[t], self.w_rec, out=row)
            np.add(row, self.zx[t], out=row)
            np.tanh(row, out=h[t + 1])
        scores = np.dot(h[1:], self.w_out, out=self.scores)
        scores += self.b_out
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        loss = -float(np.log(scores[self.times, targets]).sum())
        scores[self.times, targets] -= 1
        return loss

    def backward(self, inputs):
        h, dz, row = self.h, self.dz, self.row
        np.dot(h[1:].T, self.scores, out=self.d_out)
        np.sum(self.scores, axis=0, out=self.d_score)
        dh = np.dot(self.scores, self.w_out.T, out=self.dh)
        np.multiply(h[1:], h[1:], out=self.slope)
        np.subtract(1, self.slope, out=self.slope)
        back = self.w_rec.T
        np.multiply(dh[STEPS - 1], self.slope[STEPS - 1], out=dz[STEPS - 1])
        for t in range(STEPS - 2, -1, -1):
            np.dot(dz[t + 1], back, out=row)
            np.add(row, dh[t], out=row)
            np.multiply(row, self.slope[t], out=dz[t])
        np.dot(h[:-1].T, dz, out=self.d_rec)
        np.sum(dz, axis=0, out=self.d_hid)
        self.d_in[:] = 0
        np.add.at(self.d_in, inputs, dz)


def cut(whole, shapes):
    parts, at = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(whole[at:at + size].reshape(shape))
        at += size
    return parts


def measure(model, seconds):
    ids = text(STEPS * 40 + 1)
    windows = [(ids[n:n + STEPS], ids[n + 1:n + 1 + STEPS])
               for n in range(0, len(ids) - STEPS, STEPS)]
    first = sum(model.step(*window) for window in windows)
    rates = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or len(rates) < 5:
        before = time.perf_counter()
        last = sum(model.step(*window) for window in windows)
        rates.append(len(windows) / (time.perf_counter() - before))
    if not last < first:
        raise SystemExit(f"{type(model).__name__} does not learn: loss {first}, then {last}")
    return statistics.median(rates)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    for name, model in (("gist", Gist()), ("lean", Lean())):
        rate = measure(model, options.seconds)
        print(json.dumps({"kind": "numpy", "software": "numpy", "version": np.__version__,
                          "setting": name, "rate": round(rate, 1)}), flush=True)


if __name__ == "__main__":
    main()
