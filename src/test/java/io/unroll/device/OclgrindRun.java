package io.unroll.device;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.TextCorpus;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.reference.Arithmetic;
import io.unroll.train.CharRnn;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.stream.IntStream;

/**
 * What {@link OclgrindCheck} lets a process of its own do on the backend opencl: a part of all that
 * there is, at sizes that an interpreter can bear. The results are judged here, the accesses by
 * whoever watches.
 */
final class OclgrindRun {
  private OclgrindRun() {}

  /** The parts; a cell's name is another. */
  static final String KERNELS = "kernels";

  static final String PRODUCTS = "products";
  static final String TRAINING = "training";

  public static void main(String[] args) {
    try (Device device = Device.of(Backend.open("opencl"))) {
      System.out.println(device.description());
      switch (args[0]) {
        case KERNELS -> kernels(device);
        case PRODUCTS -> products(device);
        case TRAINING -> training(device);
        default -> sequences(device, CellSpec.of(args[0]));
      }
    }
  }

  private static void kernels(Device device) {
    try (Device java = DeviceKind.JAVA.open(1)) {
      for (Kernel kernel : Kernel.values()) {
        if (kernel == Kernel.CELL_FORWARD || kernel == Kernel.CELL_BACKWARD) {
          continue;
        }
        for (int n : new int[] {1, 37, 70}) {
          try (SmallLaunch expected = new SmallLaunch(java, n, n % 2);
              SmallLaunch found = new SmallLaunch(device, n, n % 2)) {
            assertNear(expected.run(kernel), found.run(kernel), kernel + " of " + n);
          }
        }
      }
    }
  }

  private static void assertNear(float[] expected, float[] found, String what) {
    double[] wide = IntStream.range(0, expected.length).mapToDouble(i -> expected[i]).toArray();
    Guarded.assertNear(wide, found, 1e-5, what);
  }

  private static void products(Device device) {
    for (int[] size : new int[][] {{1, 1, 1}, {3, 33, 17}, {33, 2, 16}, {35, 34, 5}}) {
      for (int flags = 0; flags < 4; flags++) {
        int beta = flags % 2;
        GemmProblem problem = new GemmProblem(flags, size[0], size[1], size[2], beta);
        problem.check(Arithmetic.FLOAT32, problem.run(device, beta), beta);
      }
    }
  }

  private static void sequences(Device device, CellSpec cell) {
    for (int[] sizes : new int[][] {{1, 1, 1}, {3, 3, 9}, {2, 5, 33}}) {
      for (boolean other : new boolean[] {false, true}) {
        try (Sequence fused = new Sequence(device, cell, sizes, other, other, other);
            Sequence stepwise = new Sequence(device, cell, sizes, other, other, other)) {
          DoubleSequence oracle = new DoubleSequence(fused);
          oracle.run();
          fused.fused();
          stepwise.stepwise();
          for (int i = 0; i < oracle.results().length; i++) {
            double[] expected = oracle.results()[i];
            Guarded.assertNear(expected, fused.results()[i], 2e-5, "fused result " + i);
            Guarded.assertNear(expected, stepwise.results()[i], 2e-5, "stepwise result " + i);
          }
          fused.call.keep = null;
          fused.call.y = null;
          fused.recurrence().forward(fused.call);
          device.synchronize();
        }
      }
    }
  }

  private static void training(Device device) {
    GemmProblem inSlices = new GemmProblem(0, 3, 5, 600, 0);
    inSlices.check(Arithmetic.FLOAT32, inSlices.run(device, 1), 1);
    TextCorpus corpus = TextCorpus.fromString("rhyme", "one two buckle my shoe. ".repeat(3));
    CharRnn.Config config = new CharRnn.Config(CellSpec.GRU, 5, 2, 3, 0.2);
    try (CharRnn model = new CharRnn(device, corpus.vocabulary(), config, 1);
        Tape tape = new Tape(device, 2);
        CharRnn.TextTask task = model.task(corpus.ids(), 3, 2);
        Trainer trainer =
            new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.001)).clipNorm(5)) {
      trainer.train(task, null, 3);
      model.sample("one", 3, Sampling.seeded(1), written -> {});
    }
  }
}
