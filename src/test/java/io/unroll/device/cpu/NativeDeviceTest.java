package io.unroll.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKind;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.nn.Losses;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class NativeDeviceTest {
  @BeforeAll
  static void require() {
    DeviceKind.NATIVE.require();
  }

  @Test
  void saysWhatItIs() {
    try (NativeDevice device = new NativeDevice(3)) {
      String found = device.description();
      assertTrue(found.matches("cpu \\(native (AVX-512|AVX2|NEON), float32, 3 threads\\)"), found);
    }
  }

  @Test
  void aSteadyStepAllocatesNothingNative() {
    try (NativeDevice device = new NativeDevice(2);
        Parameters parameters = new Parameters(device, 1);
        Tape tape = new Tape(device)) {
      RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, 9, 33).withLayers(2);
      Recurrent network = new Recurrent(parameters, "", config);
      float[] x = new float[7 * 5 * 9];
      float[] target = new float[7 * 5 * 33];
      long before = 0;
      for (int step = 0; step < 6; step++) {
        if (step == 3) {
          before = Native.allocations();
        }
        tape.begin(Tape.Mode.TRAINING);
        Tensor y = network.forward(tape.input(x, 7, 5, 9)).y();
        tape.backward(Losses.meanSquaredError(y, tape.input(target, 7, 5, 33)));
      }
      assertTrue(before > 0, "no allocation was ever counted");
      assertEquals(before, Native.allocations());
    }
  }

  @Test
  void memoryRunsOutWithACureAndTheDeviceStaysUsable() {
    try (NativeDevice device = new NativeDevice(1);
        DeviceBuffer held = device.allocate(ElementType.REAL, 3, "held")) {
      for (long length : new long[] {1L << 40, Long.MAX_VALUE}) {
        OutOfDeviceMemoryException refusal =
            assertThrows(
                OutOfDeviceMemoryException.class,
                () -> device.allocate(ElementType.REAL, length, "activations"));
        String message = refusal.getMessage();
        assertEquals(length == 1L << 40 ? 1L << 42 : Long.MAX_VALUE, refusal.wantedBytes());
        assertEquals(4 * held.length(), refusal.liveBytes());
        assertEquals(device.memoryBytes(), refusal.deviceBytes());
        assertTrue(message.contains("activations") && message.contains("batch"), message);
        assertTrue(message.contains(Long.toString(length)), message);
      }
      assertEquals(12, device.liveBytes());
      device.allocate(ElementType.REAL, 10, "small").close();
    }
  }

  /** What plain Java would refuse by itself must not reach the library. */
  @Test
  void refusesWhatIsClosedAndWhatLiesOutside() {
    NativeDevice device = new NativeDevice(2);
    DeviceBuffer x = device.allocate(ElementType.REAL, 10, "weights");
    assertThrows(AssertionError.class, () -> device.fill(x, 4, 7, 0));
    assertThrows(AssertionError.class, () -> device.copyIn(new float[9], 0, x, 2, 9));
    assertThrows(AssertionError.class, () -> device.copyIn(new int[1], 0, x, 0, 1));
    assertThrows(
        AssertionError.class,
        () -> device.gemm(false, false, 3, 3, 3, x, 0, 3, x, 0, 3, 0, x, 2, 3));
    x.close();
    var fill = device.compile(Kernel.SCALE_BY, null);
    KernelArgs args = new KernelArgs().buffer(x, 0).buffer(x, 0);
    assertThrows(IllegalStateException.class, () -> device.launch(fill, 1, args));
    device.close();
    args.clear();
    assertThrows(IllegalStateException.class, () -> device.launch(fill, 1, args));
    assertThrows(IllegalStateException.class, () -> device.compile(Kernel.SCALE_BY, null));
  }
}
