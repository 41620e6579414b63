package io.unroll.device.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectIteration;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.unroll.Backend;
import io.unroll.DeviceException;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.MethodSelector;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** What {@link CublasTest} lets a process of its own do: cuBLAS is looked for once. */
public final class CublasProcess {
  private static final String GEMM_TEST = "io.unroll.device.GemmTest";
  private static final String EQUIVALENCE_TEST = "io.unroll.nn.EquivalenceTest";

  private CublasProcess() {}

  /** Prints what it finds and a product; or how tests end; or a product in every precision. */
  public static void main(String[] args) {
    switch (args.length == 0 ? "look" : args[0]) {
      case "tests" -> test();
      case "precisions" ->
          List.of(Precision.FP32, Precision.TF32, Precision.BF16).forEach(CublasProcess::multiply);
      default -> look();
    }
  }

  private static void look() {
    for (Backend.Availability found : Backend.list()) {
      if (found.name().equals("cuda")) {
        System.out.println(found.detail());
      }
    }
    try (Device device = Device.of(Backend.open("cuda"));
        DeviceBuffer a = device.allocate(ElementType.REAL, 6, "a");
        DeviceBuffer c = device.allocate(ElementType.REAL, 4, "c")) {
      System.out.println(device.description());
      device.copyIn(new float[] {1, 2, 3, 4, 5, 6}, 0, a, 0, 6);
      float[] product = new float[4];
      // [1 2 3; 4 5 6] and its transpose
      device.gemm(false, true, 2, 2, 3, a, 0, 3, a, 0, 3, 0, c, 0, 2);
      device.copyOut(c, 0, product, 0, 4);
      System.out.println("product: " + Arrays.toString(product));
    } catch (DeviceException e) {
      System.out.println("failed: " + e.getMessage());
    }
  }

  /** Prints 1 (1 + 2^-11), which only float32 holds. */
  private static void multiply(Precision precision) {
    CommandStream stream = new CommandStream("cuda:0", Devices.first());
    Staging staging = new Staging(stream);
    DeviceMemory memory = new DeviceMemory();
    long bytes = 64 << 20;
    ReturnCode.require(stream.allocate(memory, bytes), "cuMemAlloc");
    float[] values = {1, 1 + 0x1p-11f, 0};
    staging.copyIn(values, 0, memory, 0, 3);
    try (Cublas cublas = Cublas.open(stream, precision)) {
      long at = memory.address();
      cublas.gemm(false, false, 1, 1, 1, at, 1, at + 4, 1, 0, at + 8, 1, at + bytes / 2);
      staging.copyOut(memory, 0, values, 0, 3);
    }
    System.out.println(precision + " " + values[2]);
    stream.free(memory);
    staging.close();
    stream.close();
  }

  /** Products of every kind, and a few of the problems of the backend cuda. */
  private static void test() {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(
                selectIteration(every(GEMM_TEST, "everyTransposition"), 2, 4, 5, 28),
                every(GEMM_TEST, "oneRowMayHaveAnyDistance"),
                every(GEMM_TEST, "depthZeroClearsOrKeeps"),
                selectIteration(
                    every(EQUIVALENCE_TEST, "backendAgreesWithTheOracle"), 4, 55, 90, 181))
            .build();
    LauncherFactory.create().execute(request, new Printer());
  }

  /** A method of tests, whatever its parameters. */
  private static MethodSelector every(String type, String method) {
    try {
      Class<?> tests = Class.forName(type);
      return Stream.of(tests.getDeclaredMethods())
          .filter(each -> each.getName().equals(method))
          .map(each -> selectMethod(tests, each))
          .findFirst()
          .orElseThrow();
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static final class Printer implements TestExecutionListener {
    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (result.getStatus() != Status.SUCCESSFUL) {
        System.out.println(result.getStatus() + ": " + test.getDisplayName() + ": " + result);
      } else if (test.isTest()) {
        System.out.println("passed: " + test.getDisplayName());
      }
    }
  }
}
