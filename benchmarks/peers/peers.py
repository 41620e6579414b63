"""The programs that compare.py runs: how each is built, started and set."""

import glob
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(HERE, "target")

# glibc's allocator keeps what it once had: otherwise page faults cost PyTorch up to a fifth.
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}
RAGGED = "ragged rows"
SPIN = {"OMP_WAIT_POLICY": "ACTIVE"}
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
HAS_MKL = platform.system() == "Linux" and platform.machine() == "x86_64"
# MKL shares the threads of PyTorch's OpenMP; with threads of its own both would wait for each other.
MKL_AS_OPENMP = {"MKL_THREADING_LAYER": "GNU"}

# Set here and there for older programs; they slow down current ones.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
         "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MKL_THREADING_LAYER", "JAVA_TOOL_OPTIONS")


class Missing(Exception):
    """A program cannot be had here; the message says why."""


@dataclass
class Setting:
    """One way to run a program. One thread is tried on small shapes only, unless always is set."""

    name: str
    threads: int
    env: dict = field(default_factory=dict)
    always: bool = False
    flags: list = field(default_factory=list)


@dataclass
class Peer:
    """A program. lacks: what it cannot do, and why; lacks_variants: the same of layers, directions
    and ragged rows; plain: the setting in which memory and start are measured."""

    key: str
    software: str
    main: str
    settings: list
    modes: tuple = ("infer", "train")
    cells: tuple = ("rnn", "gru", "lstm")
    shapes: tuple = None
    steps: tuple = None
    plain: Setting = None
    lacks: dict = field(default_factory=dict)
    lacks_variants: dict = field(default_factory=dict)
    agrees: bool = True
    flags: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    classpath: list = field(default_factory=list)

    def command(self, setting, arguments):
        return ["java", *self.flags, *setting.flags, "-cp", os.pathsep.join(self.classpath), self.main,
                "--setting", setting.name, "--threads", str(setting.threads), *arguments]

    def environment(self, setting):
        env = {k: v for k, v in os.environ.items() if k not in UNSET}
        return {**env, **self.env, **setting.env}

    def takes(self, setting, cell, shape, mode):
        if cell not in self.cells or mode not in self.modes:
            return False
        if self.shapes is not None and shape not in self.shapes:
            return False
        return setting.threads > 1 or setting.always or few_operations(shape)

    def takes_variant(self, setting, cell, case):
        """case is one of the grid. Each mode that the peer has is taken, and each shape."""
        if cell not in self.cells or RAGGED in self.lacks_variants and case.lengths == "ragged":
            return False
        return setting.threads > 1 or setting.always or few_operations(",".join(map(str, case.shape)))

    def takes_step(self, setting, cell, layers, shape):
        """shape is T,B,V,H; steps has (layers, shape) of the few that it is given, in its first setting; None for all."""
        if cell not in self.cells or "train" not in self.modes:
            return False
        if self.steps is not None:
            return setting is self.settings[0] and (layers, shape) in self.steps
        return setting.threads > 1 or setting.always or few_operations(shape)


def operations(shape):
    """Multiply-adds of a gate, forward."""
    steps, batch, inputs, hidden = (int(size) for size in shape.split(","))
    return steps * batch * (inputs + hidden) * hidden


def few_operations(shape):
    return operations(shape) <= 2e8


def torch_settings():
    """With MKL instead of the OpenBLAS that comes with it everything threads through one OpenMP. OpenBLAS has threads
    of its own: PyTorch's LSTM is threaded by OpenMP, RNN and GRU by OpenBLAS; both at once collide."""
    if HAS_MKL:
        mkl = ["-Dorg.bytedeco.openblas.load=mkl_rt"]
        return [
            Setting("2t mkl keep spin", 2, {"OMP_NUM_THREADS": "2", **MKL_AS_OPENMP, **KEEP_MEMORY, **SPIN},
                    flags=mkl),
            Setting("1t mkl keep", 1, {"OMP_NUM_THREADS": "1", **MKL_AS_OPENMP, **KEEP_MEMORY},
                    flags=mkl),
        ]
    two_blas = {"OPENBLAS_NUM_THREADS": "2"}
    return [
        Setting("2t keep spin", 2, {"OMP_NUM_THREADS": "2", **KEEP_MEMORY, **SPIN,
                                    **ONE_BLAS_THREAD}),
        Setting("1t keep blas 2t", 1, {"OMP_NUM_THREADS": "1", **KEEP_MEMORY, **two_blas},
                always=True),
    ]


def all_peers():
    cache = os.path.join(TARGET, "cache")
    javacpp = ["-Dorg.bytedeco.javacpp.cachedir=" + os.path.join(cache, "javacpp"),
               "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0"]
    two_threads = {"OMP_NUM_THREADS": "2"}
    return [
        Peer("unroll", "Unroll", "io.unroll.peers.unroll.UnrollPeer",
             [Setting("2t", 2), Setting("1t", 1)]),
        Peer("torch", "PyTorch", "io.unroll.peers.torch.TorchPeer", torch_settings(),
             plain=Setting("2t", 2, {**two_threads, **ONE_BLAS_THREAD}),
             flags=[*javacpp, "-Dorg.bytedeco.javacpp.nopointergc=true"]),
        Peer("onnxruntime", "ONNX Runtime", "io.unroll.peers.onnxruntime.OnnxRuntimePeer",
             [Setting("2t", 2), Setting("1t", 1)], modes=("infer",),
             lacks={"training": "its Java package on Maven Central runs graphs and does not train"}),
        Peer("djl", "DJL", "io.unroll.peers.djl.DjlPeer",
             [Setting("2t keep spin", 2, {**two_threads, **KEEP_MEMORY, **SPIN}),
              Setting("1t keep", 1, {"OMP_NUM_THREADS": "1", **KEEP_MEMORY})],
             plain=Setting("2t", 2, two_threads),
             lacks_variants={RAGGED: "it does not offer them: its operations take neither lengths nor packed"
                             " sequences"},
             flags=["-Dai.djl.offline=true"],
             env={"OPT_OUT_TRACKING": "true", "DJL_CACHE_DIR": os.path.join(cache, "djl"),
                  "ENGINE_CACHE_DIR": os.path.join(cache, "djl")}),
        Peer("dl4j", "DL4J", "io.unroll.peers.dl4j.Dl4jPeer",
             [Setting("1t", 1, {"OMP_NUM_THREADS": "1"}, always=True), Setting("2t", 2, two_threads)],
             modes=("train",), cells=("rnn", "lstm"), agrees=False,
             shapes=("128,32,128,128", "64,32,512,512", "64,1,512,512"),
             steps=((2, "50,50,65,128"), (2, "64,64,96,512")),
             lacks={"gru": "it has no GRU layer",
                    "inference, other shapes, the sums of results": "it is timed in training at three"
                    " shapes, two whole steps and the variants, because it takes many times as long as the others, and its"
                    " weights are not in PyTorch's layout"},
             lacks_variants={RAGGED: "it does not offer them to errors that come from outside: with its masks set, steps"
                             " behind the end of a row still had gradients"},
             flags=javacpp),
    ]


def in_turn(peers):
    """All (peer, setting), so that those of one peer stand apart from each other."""
    turns = []
    for n in range(max(len(peer.settings) for peer in peers)):
        turns += [(peer, peer.settings[n]) for peer in peers if n < len(peer.settings)]
    return turns


def build(peer, rebuild_unroll, jvm_flags):
    if peer.key == "unroll":
        peer.classpath = build_unroll(rebuild_unroll)
        peer.flags = jvm_flags
    else:
        peer.classpath = build_with_maven(peer.key)
    peer.flags = peer.flags + enable_native_access()


def enable_native_access():
    """From JDK 24 on a native library that is loaded without this prints a warning."""
    return ["--enable-native-access=ALL-UNNAMED"] if java_major() >= 17 else []


def java_major():
    text = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    digits = text.split('"')[1].split(".")[0] if '"' in text else "0"
    return int(digits)


def run_build(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        said = re.sub(r"\x1b\[[0-9;]*m|\(https?://[^)]*\)", "", done.stdout + done.stderr)
        said = re.sub(r"https?://\S+", "the repository", said)
        lines = [line for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "error:" in line] or lines
        raise Missing(f"`{' '.join(command)}` failed: {' '.join(errors[:1])}")


def newest(paths):
    return max((os.path.getmtime(path) for path in paths), default=0)


def sources(*folders):
    found = []
    for folder in folders:
        for path, _, files in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.join(path, name) for name in files]
    return found


def unroll_jars():
    jars = glob.glob(os.path.join(ROOT, "target", "unroll-[0-9]*.jar"))
    return [jar for jar in jars if "-sources" not in jar and "-javadoc" not in jar]


def build_unroll(rebuild):
    jars = unroll_jars()
    changed = newest(sources("src/main", "kernels", "native") + [os.path.join(ROOT, "pom.xml")])
    if rebuild or not jars or newest(jars) < changed:
        print("building Unroll", file=sys.stderr)
        # What it has for CUDA takes minutes to compile and is no part of this.
        run_build(["mvn", "-q", "-B", "package", "-DskipTests", "-Dunroll.cuda.skip=true"], ROOT)
        jars = unroll_jars()
    if len(jars) != 1:
        raise Missing(f"target/ must hold one unroll-VERSION.jar, but holds {jars or 'none'}")
    classes = os.path.join(TARGET, "unroll")
    java = [path for path in sources("benchmarks/peers/common", "benchmarks/peers/unroll")
            if path.endswith(".java")]
    stamp = os.path.join(classes, "stamp")
    if not os.path.exists(stamp) or newest([stamp]) < newest(java + jars):
        shutil.rmtree(classes, ignore_errors=True)
        os.makedirs(classes)
        run_build(["javac", "--release", "17", "-Xlint:all", "-Werror", "-d", classes,
                   "-cp", jars[0], *java], ROOT)
        open(stamp, "w").close()
    return jars + [classes]


def build_with_maven(key):
    pom = os.path.join(os.path.relpath(HERE, ROOT), key, "pom.xml")
    machine = {"x86_64": "linux-x86_64", "aarch64": "linux-arm64"}.get(platform.machine())
    if platform.system() != "Linux" or machine is None:
        raise Missing(f"no natives named for {platform.system()} on {platform.machine()}")
    if machine == "linux-arm64" and key == "djl":
        machine = "linux-aarch64"
    print(f"building {key}", file=sys.stderr)
    run_build(["mvn", "-q", "-B", "-f", pom, f"-Dplatform={machine}", "process-classes"], ROOT)
    target = os.path.join(HERE, key, "target")
    return [os.path.join(target, "classes"), os.path.join(target, "lib", "*")]
