#!/usr/bin/env python3
"""Writes the files of this folder with the programs that others use; see README.md.

Needs: pip install torch onnx onnxscript keras safetensors numpy (versions: README.md)
make.py            writes them all
make.py --check F  F being what "unroll export" wrote of torch_char after "unroll import": loads the safetensors
                   file strictly into a PyTorch module and compares its logits, or checks the ONNX file
"""

import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "torch"
HERE = pathlib.Path(__file__).resolve().parent
SEED = 20261124
STEPS, BATCH, INPUT, HIDDEN = 5, 3, 4, 6

import numpy as np
import onnx
import torch
from safetensors.torch import load_file, save_file


class CharModel(torch.nn.Module):
    """A character model with names of its own."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Embedding(11, INPUT)
        self.lstm = torch.nn.LSTM(INPUT, HIDDEN, num_layers=2)
        self.decoder = torch.nn.Linear(HIDDEN, 11)

    def forward(self, ids):
        return self.decoder(self.lstm(self.encoder(ids))[0])


class Recurrent(torch.nn.Module):
    """Two layers in both directions and a linear layer."""

    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = getattr(torch.nn, kind)(INPUT, HIDDEN, num_layers=2, bidirectional=True, **options)
        self.head = torch.nn.Linear(2 * HIDDEN, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Last(torch.nn.Module):
    """A class of a sequence: the linear layer reads the last state, which becomes a Gemm in ONNX."""

    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(INPUT, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, 3)

    def forward(self, x):
        return self.head(self.gru(x)[1][0])


def torch_files():
    torch.manual_seed(SEED)
    model = CharModel()
    ids = torch.randint(0, 11, (STEPS, BATCH))
    state = torch.nn.DataParallel(model).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, HERE / "torch_char.safetensors")
    with torch.no_grad():
        expected = model.double()(ids)
    save_file({"ids": ids, "logits": expected}, HERE / "torch_char_expected.safetensors")


def onnx_files():
    torch.manual_seed(SEED)
    x = torch.randn(STEPS, BATCH, INPUT)

    def export(model, name, **options):
        torch.onnx.export(model.eval(), (x,), HERE / name, input_names=["x"], output_names=["y"], **options)
        file = onnx.load(HERE / name, load_external_data=False)
        del file.graph.value_info[:]
        for node in file.graph.node:  # Traces of the stack, with paths of this machine.
            del node.metadata_props[:]
            node.doc_string = ""
        onnx.save(file, HERE / name)

    for name, kind, options in (
        ("tanh", "RNN", {}),
        ("relu", "RNN", {"nonlinearity": "relu"}),
        ("gru", "GRU", {}),
        ("lstm", "LSTM", {}),
    ):
        model = Recurrent(kind, **options)
        export(model, f"torch_{name}_script.onnx", dynamo=False)
        if kind != "RNN":  # The newer exporter takes the loop of an RNN apart.
            export(model, f"torch_{name}_dynamo.onnx", dynamo=True, external_data=False)
    export(model, "torch_external.onnx", dynamo=True, external_data=True)
    export(Last(), "torch_last_script.onnx", dynamo=False)


def keras_files():
    import keras

    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    x = np.random.default_rng(SEED).standard_normal((BATCH, STEPS, INPUT)).astype("float32")
    kinds = {
        "tanh": (layers.SimpleRNN, {}),
        "relu": (layers.SimpleRNN, {"activation": "relu"}),
        "gru": (layers.GRU, {}),
        "gru_reset_before": (layers.GRU, {"reset_after": False}),
        "lstm": (layers.LSTM, {}),
    }
    for name, (kind, options) in kinds.items():
        model = keras.Sequential([
            layers.Input((STEPS, INPUT)),
            layers.Bidirectional(kind(HIDDEN, return_sequences=True, **options)),
            layers.Bidirectional(kind(HIDDEN, return_sequences=True, use_bias=name != "tanh", **options)),
            layers.Dense(3),
        ])
        save_keras(model, HERE / f"keras_{name}.safetensors", x)
    model = keras.Sequential([
        layers.Input((STEPS,), dtype="int32"),
        layers.Embedding(11, INPUT),
        layers.GRU(HIDDEN, return_sequences=True),
        layers.Dense(11),
    ])
    ids = np.random.default_rng(SEED).integers(0, 11, (BATCH, STEPS)).astype("int32")
    save_keras(model, HERE / "keras_char.safetensors", ids)


def save_keras(model, path, x):
    """Weights as a user saves them, with random biases, which Keras begins with zeros, and x and y besides."""
    rng = np.random.default_rng(SEED)
    for weight in model.weights:
        if weight.path.endswith("bias"):
            weight.assign(rng.standard_normal(weight.shape).astype("float32") * 0.3)
    tensors = {w.path: torch.tensor(np.array(keras_array(w))) for w in model.weights}
    tensors["x"] = torch.tensor(x)
    tensors["y"] = torch.tensor(np.array(model.predict(x, verbose=0)))
    save_file({k: v.contiguous() for k, v in tensors.items()}, path)


def keras_array(weight):
    import keras

    return keras.ops.convert_to_numpy(weight)


def check(path):
    if path.endswith(".onnx"):
        onnx.checker.check_model(path, full_check=True)
        print("onnx.checker: no complaint")
        return
    model = CharModel()
    names = (("embedding.", "encoder."), ("rnn.", "lstm."), ("head.", "decoder."))
    state = {theirs + k[len(ours):]: v for ours, theirs in names
             for k, v in load_file(path).items() if k.startswith(ours)}
    print(model.load_state_dict(state, strict=True))
    expected = load_file(HERE / "torch_char_expected.safetensors")
    with torch.no_grad():
        print("largest difference", (model.double()(expected["ids"]) - expected["logits"]).abs().max().item())


def main():
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
        return
    torch_files()
    keras_files()
    onnx_files()


main()
