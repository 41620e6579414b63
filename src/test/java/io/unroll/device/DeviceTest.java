package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.device.cpu.CpuDevices;
import java.lang.management.ManagementFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs of a device that the tests of kernels, products and sequences do not try. */
@ParameterizedClass(name = "{0}")
@EnumSource(DeviceKind.class)
class DeviceTest {
  private final DeviceKind kind;

  DeviceTest(DeviceKind kind) {
    this.kind = kind;
  }

  @BeforeParameterizedClassInvocation
  static void require(DeviceKind kind) {
    kind.require();
  }

  @Test
  void copiesRoundAndKeepTheirPlace() {
    try (Device device = kind.open(1);
        DeviceBuffer reals = device.allocate(ElementType.REAL, 6, "reals")) {
      device.fill(reals, 0, 6, -1);
      device.copyIn(new double[] {9, 0.1, 0.2, 9}, 1, reals, 2, 2);
      device.fill(reals, 4, 1, 0.3);
      double[] wide = {7, 7, 7, 7, 7, 7, 7, 7};
      device.copyOut(reals, 0, wide, 1, 6);
      assertArrayEquals(new double[] {7, -1, -1, 0.1f, 0.2f, 0.3f, -1, 7}, wide);
      device.copyIn(new float[] {9, 5, 9}, 1, reals, 5, 1);
      float[] narrow = {7, 7, 7};
      device.copyOut(reals, 4, narrow, 1, 2);
      assertArrayEquals(new float[] {7, 0.3f, 5}, narrow);
    }
  }

  @Test
  void integersComeBackAsTheyWent() {
    try (Device device = kind.open(1);
        DeviceBuffer integers = device.allocate(ElementType.INT, 4, "integers")) {
      int[] values = {9, Integer.MIN_VALUE, -1, 16_777_217, Integer.MAX_VALUE, 9};
      device.copyIn(values, 1, integers, 0, 4);
      int[] found = {7, 7, 7, 7};
      device.copyOut(integers, 1, found, 1, 3);
      assertArrayEquals(new int[] {7, -1, 16_777_217, Integer.MAX_VALUE}, found);
    }
  }

  @Test
  void ledgerCountsAndCloseListsWhatIsLive() {
    Device device = kind.open(2);
    DeviceBuffer a = device.allocate(ElementType.REAL, 10, "weights");
    DeviceBuffer b = device.allocate(ElementType.INT, 5, "lengths");
    assertEquals(60, device.liveBytes());
    b.close();
    b.close();
    assertEquals(40, device.liveBytes());
    assertEquals(60, device.peakBytes());
    assertThrows(
        IllegalStateException.class,
        () -> device.copyIn(new int[1], 0, b, 0, 1),
        "use after close");
    String message = assertThrows(IllegalStateException.class, device::close).getMessage();
    assertTrue(message.contains("weights") && !message.contains("lengths"), message);
    assertThrows(
        IllegalStateException.class, () -> device.allocate(ElementType.REAL, 1, "late"), "closed");
    device.close();
    a.close();
    assertEquals(0, device.liveBytes());
  }

  @Test
  void everyKernelCompiles() {
    try (Device device = kind.open(1)) {
      for (Kernel kernel : Kernel.values()) {
        boolean ofCell = kernel == Kernel.CELL_FORWARD || kernel == Kernel.CELL_BACKWARD;
        assertEquals(kernel, device.compile(kernel, ofCell ? CellSpec.GRU : null).kernel());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Kernel.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"CELL_FORWARD", "CELL_BACKWARD"})
  void everyKernelAgreesWithPlainJava(Kernel kernel) {
    try (Device device = kind.open(2);
        Device java = DeviceKind.JAVA.open(1)) {
      for (int n : new int[] {1, 37, 70, 300}) {
        for (double beta : new double[] {0, 1}) {
          try (SmallLaunch expected = new SmallLaunch(java, n, beta);
              SmallLaunch found = new SmallLaunch(device, n, beta)) {
            float[] plain = expected.run(kernel);
            double[] wide = IntStream.range(0, plain.length).mapToDouble(i -> plain[i]).toArray();
            Guarded.assertNear(wide, found.run(kernel), 1e-5, kernel + " " + n + " beta " + beta);
          }
        }
      }
    }
  }

  @Test
  void aSteadyStepLeavesNoGarbage() {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    int[] sizes = kind.isCpu() ? new int[] {4, 40, 64} : new int[] {3, 3, 9};
    try (Device device = kind.open(2);
        Sequence sequence = new Sequence(device, CellSpec.LSTM, sizes, false, true)) {
      Step step = new Step(sequence);
      for (int i = 0; i < 300; i++) {
        step.run();
      }
      long caller = Thread.currentThread().getId();
      long worker = CpuDevices.worker(device) == 0 ? caller : CpuDevices.worker(device);
      long callerBefore = threads.getThreadAllocatedBytes(caller);
      long workerBefore = threads.getThreadAllocatedBytes(worker);
      int steps = 200;
      for (int i = 0; i < steps; i++) {
        step.run();
      }
      long callerBytes = threads.getThreadAllocatedBytes(caller) - callerBefore;
      long workerBytes = threads.getThreadAllocatedBytes(worker) - workerBefore;
      // One object a step would be 16 bytes; the reading itself allocates a little, once.
      assertTrue(callerBytes < 8L * steps, "the caller allocated " + callerBytes + " bytes");
      assertTrue(workerBytes < 8L * steps, "the worker allocated " + workerBytes + " bytes");
      assertFalse(Float.isNaN(sequence.ds.values()[0]));
    }
  }

  /** A fused recurrence, a product and a kernel, with arguments made once. */
  private static final class Step {
    private final Sequence sequence;
    private final FusedRecurrence recurrence;
    private final DeviceKernel sum;
    private final KernelArgs args = new KernelArgs();

    Step(Sequence sequence) {
      this.sequence = sequence;
      recurrence = sequence.recurrence();
      sum = sequence.device.compile(Kernel.COLUMN_SUM, null);
    }

    void run() {
      var call = sequence.call;
      int width = call.cell.gateCount() * call.hiddenSize;
      recurrence.forward(call);
      recurrence.backward(call);
      sequence.device.gemm(
          true,
          false,
          width,
          call.hiddenSize,
          call.batch,
          call.dzh,
          call.dzhAt,
          width,
          call.states,
          call.statesAt,
          call.hiddenSize,
          0,
          call.weightHh,
          call.weightHhAt,
          call.hiddenSize);
      args.clear().buffer(call.dzh, call.dzhAt).buffer(call.biasHh, call.biasHhAt);
      args.i32(call.steps * call.batch).i32(width).real(0);
      sequence.device.launch(sum, width, args);
      sequence.device.fill(call.ds, call.dsAt, sequence.ds.length, 0.01);
    }
  }
}
