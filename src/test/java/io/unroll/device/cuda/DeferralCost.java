package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.Arrays;

/**
 * Prints what Java takes for a command that waits, and for finding out that a list is a known graph
 * that needs no change. What the driver takes for the launch is not in it.
 */
public final class DeferralCost {
  private static final int COMMANDS = 200;
  private static final int ROUNDS = 2000;

  private DeferralCost() {}

  /** Needs a driver, simulated or not. */
  public static void main(String[] args) {
    try (CudaDevice device = new CudaDevice("cuda:0", Installation.found().devices().get(0));
        DeviceBuffer x = device.allocate(ElementType.REAL, 1, "x")) {
      DeviceKernel kernel = device.compile(Kernel.ADAM, null);
      KernelArgs values = new KernelArgs();
      long[] recorded = new long[ROUNDS];
      for (int round = 0; round < ROUNDS; round++) {
        long start = System.nanoTime();
        for (int i = 0; i < COMMANDS; i++) {
          values.clear().buffer(x, 0).buffer(x, 0).buffer(x, 0).buffer(x, 0);
          for (int k = 0; k < 6; k++) {
            values.real(0.5);
          }
          device.launch(kernel, 1, values);
        }
        recorded[round] = System.nanoTime() - start;
        device.synchronize();
      }
      print("a launch of ten arguments that waits", recorded);

      CudaKernel entry = (CudaKernel) kernel;
      CommandList list = new CommandList();
      for (int i = 0; i < COMMANDS; i++) {
        list.begin();
        for (int k = 0; k < 11; k++) {
          list.value(k);
        }
        list.kernel(entry, 1, 256, 0);
      }
      CommandGraph graph = new CommandGraph(list, list.hash());
      boolean isSame = true;
      for (int round = 0; round < ROUNDS; round++) {
        long start = System.nanoTime();
        isSame &= graph.isOf(list, list.hash()) && graph.update(list, null, null) == 0;
        recorded[round] = System.nanoTime() - start;
      }
      print("comparing it with a graph, the same " + isSame, recorded);
    }
  }

  private static void print(String what, long[] nanos) {
    Arrays.sort(nanos);
    System.out.printf(
        "%s: %.0f ns a command, median of %d rounds of %d; fastest %.0f%n",
        what,
        (double) nanos[ROUNDS / 2] / COMMANDS,
        ROUNDS,
        COMMANDS,
        (double) nanos[0] / COMMANDS);
  }
}
