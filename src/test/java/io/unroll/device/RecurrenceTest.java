package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.CellSpec;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The fused recurrence against the same steps one by one, and against float64. */
@ParameterizedClass(name = "{0}")
@EnumSource(DeviceKind.class)
class RecurrenceTest {
  /** Around vectors, tiles, warps and work groups; many rows, few and one. */
  private static final int[][] SIZES = {
    {1, 1, 1},
    {1, 5, 9},
    {6, 1, 33},
    {4, 2, 70},
    {17, 3, 65},
    {5, 37, 20},
    {3, 40, 130},
    {5, 33, 1},
    {4, 7, 31},
    {3, 33, 33},
    {2, 1, 129},
    {3, 3, 160}
  };

  private static List<Device> devices = List.of();

  private final DeviceKind kind;
  private final Device device = devices.get(devices.size() - 1);

  RecurrenceTest(DeviceKind kind) {
    this.kind = kind;
  }

  @BeforeParameterizedClassInvocation
  static void open(DeviceKind kind) {
    kind.require();
    devices = kind.openWays();
  }

  @AfterParameterizedClassInvocation
  static void close() {
    devices.forEach(Device::close);
    devices = List.of();
  }

  static List<CellSpec> cells() {
    return CellSpec.all();
  }

  /** What happens to the results of a sequence when one thing about it is changed. */
  private interface Change {
    void check(Function<Device, Sequence> sequence, String what);
  }

  /**
   * Each size in both directions, ragged and not, and once packed, which takes turns in the rest.
   */
  private void everySequence(CellSpec cell, Change change) {
    boolean few = kind.rounds(); // what does not depend on the precision has been tried before
    for (int i = 0; i < SIZES.length; i += few ? 3 : 1) {
      int[] sizes = SIZES[i];
      for (int each = few ? 2 : 0; each < 5; each += few ? 2 : 1) {
        boolean packed = each == 4;
        int flags = packed ? i : each;
        boolean reverse = (flags & 1) != 0;
        boolean ragged = (flags & 2) != 0;
        String what = cell.name() + " " + Arrays.toString(sizes) + (packed ? " packed" : "");
        what += (reverse ? " reverse" : "") + (ragged ? " ragged" : "");
        change.check(device -> new Sequence(device, cell, sizes, reverse, ragged, packed), what);
      }
    }
  }

  /**
   * In plain Java to the last bit. Others add up in another order, such as the native library where
   * a thread has few rows.
   */
  @ParameterizedTest
  @MethodSource("cells")
  void fusedEqualsStepwiseOnAnyThreads(CellSpec cell) {
    assumeTrue(!kind.rounds(), "operands of float32 noise may round to different numbers");
    everySequence(
        cell,
        (sequences, what) -> {
          float[][] expected;
          try (Sequence one = sequences.apply(devices.get(0))) {
            one.stepwise();
            expected = one.results();
          }
          double near = kind == DeviceKind.JAVA ? 0 : 1e-5;
          for (Device each : devices) {
            try (Sequence many = sequences.apply(each)) {
              if (many.isRefused()) {
                continue;
              }
              many.fused();
              assertNear(expected, many.results(), near, what + " on " + each.description());
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("cells")
  void twoRunsAreBitwiseEqual(CellSpec cell) {
    everySequence(
        cell,
        (sequences, what) -> {
          for (Device each : devices) {
            try (Sequence one = sequences.apply(each);
                Sequence two = sequences.apply(each)) {
              if (one.isRefused()) {
                continue;
              }
              one.fused();
              two.fused();
              assertNear(one.results(), two.results(), 0, what);
            }
          }
        });
  }

  private static void assertNear(float[][] expected, float[][] found, double near, String what) {
    for (int i = 0; i < expected.length; i++) {
      float[] wanted = expected[i];
      double[] wide = IntStream.range(0, wanted.length).mapToDouble(j -> wanted[j]).toArray();
      Guarded.assertNear(wide, found[i], near, what + " result " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void followsTheContract(CellSpec cell) {
    assumeTrue(
        !kind.rounds() || !cell.equals(CellSpec.RELU),
        "its gradient jumps where a product changes sign");
    everySequence(
        cell,
        (sequences, what) -> {
          double[][] expected = null;
          for (Device each : devices) {
            try (Sequence sequence = sequences.apply(each)) {
              if (expected == null) {
                DoubleSequence oracle = new DoubleSequence(sequence);
                oracle.run();
                expected = oracle.results();
              }
              if (sequence.isRefused()) {
                continue;
              }
              sequence.fused();
              float[][] found = sequence.results();
              for (int i = 0; i < expected.length; i++) {
                Guarded.assertNear(expected[i], found[i], kind.near(2e-5), what + " result " + i);
              }
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("cells")
  void inferenceNeedsNeitherReserveNorOutput(CellSpec cell) {
    for (int[] sizes : new int[][] {{3, 4, 9}, {2, 7, 65}, {2, 33, 31}}) {
      for (boolean other : new boolean[] {false, true}) {
        for (Device each : devices) {
          try (Sequence full = new Sequence(each, cell, sizes, other, other, other);
              Sequence lean = new Sequence(each, cell, sizes, other, other, other)) {
            if (!full.isRefused()) {
              inferenceNeedsNeitherReserveNorOutput(full, lean);
            }
          }
        }
      }
    }
  }

  private static void inferenceNeedsNeitherReserveNorOutput(Sequence full, Sequence lean) {
    float[][] before = lean.results();
    lean.call.keep = null;
    lean.call.y = null;
    full.recurrence().forward(full.call);
    lean.recurrence().forward(lean.call);
    assertArrayEquals(full.states.values(), lean.states.values());
    assertArrayEquals(before[1], lean.keep.values(), "reserve was written");
    assertArrayEquals(before[2], lean.y.values(), "output was written");

    full.call.dy = null;
    full.recurrence().backward(full.call);
    lean.device.fill(lean.dy.buffer, 0, lean.dy.buffer.length(), 0);
    lean.call.keep = full.call.keep == null ? null : lean.keep.buffer;
    lean.recurrence().forward(lean.call);
    lean.recurrence().backward(lean.call);
    assertArrayEquals(full.ds.values(), lean.ds.values(), "no dy is a dy of zeros");
  }

  @Test
  void layersOfDifferentSizesShareADevice() {
    int[][] shapes = {{3, 4, 9}, {3, 4, 27}, {3, 4, 9}}; // 27 is a depth of both
    try (Sequence owner = new Sequence(device, CellSpec.GRU, shapes[0], false, false)) {
      FusedRecurrence shared = owner.recurrence();
      for (int[] shape : shapes) {
        try (Sequence alone = new Sequence(device, CellSpec.GRU, shape, false, false);
            Sequence guest = new Sequence(device, CellSpec.GRU, shape, false, false)) {
          alone.fused();
          shared.forward(guest.call);
          shared.backward(guest.call);
          float[][] expected = alone.results();
          float[][] found = guest.results();
          for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], found[i], Arrays.toString(shape) + " result " + i);
          }
        }
      }
    }
  }
}
