package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That lists which come again are graphs, and that nobody can tell by the results. */
class CommandGraphsTest {
  private static final int N = 300;
  private static final int COMMANDS = CommandGraphs.FEWEST_COMMANDS + 2;

  private static CudaDevice open(boolean graphs) {
    Hardware hardware = Devices.first();
    System.setProperty("unroll.cuda.graphs", String.valueOf(graphs));
    try {
      return new CudaDevice("cuda:0", hardware);
    } finally {
      System.clearProperty("unroll.cuda.graphs");
    }
  }

  private static CommandGraphs.Counts since(CommandGraphs.Counts before, CudaDevice device) {
    CommandGraphs.Counts now = device.graphCounts();
    return new CommandGraphs.Counts(
        now.built() - before.built(),
        now.replayed() - before.replayed(),
        now.changed() - before.changed());
  }

  /** Trains with batches of these sizes, five steps each. */
  private static SmallTraining.Outcome train(boolean graphs, int... batches) {
    try (CudaDevice device = open(graphs);
        SmallTraining training = new SmallTraining(device)) {
      for (int batch : batches) {
        training.steps(batch, 5);
      }
      assertEquals(graphs, device.graphCounts().replayed() > 0);
      return training.outcome();
    }
  }

  /** Steps of two sizes, and back: what is kept of the first must not be taken for the second. */
  @Test
  void trainingIsBitwiseEqualToPlainLaunches() {
    SmallTraining.Outcome plain = train(false, 3, 5, 3);
    SmallTraining.Outcome replayed = train(true, 3, 5, 3);
    assertEquals(plain.losses(), replayed.losses());
    assertArrayEquals(plain.weights(), replayed.weights());
    assertEquals(15, plain.losses().size());
    assertTrue(plain.losses().get(14) < plain.losses().get(0), plain.losses()::toString);
  }

  /** What changes are Adam's factors and the counters of two dropouts, forward and backward. */
  @Test
  void aSteadyStepIsOneReplay() {
    try (CudaDevice device = open(true);
        SmallTraining training = new SmallTraining(device)) {
      training.steps(3, 6);
      for (int i = 0; i < 4; i++) {
        CommandGraphs.Counts before = device.graphCounts();
        training.steps(3, 1);
        assertEquals(new CommandGraphs.Counts(0, 1, 5), since(before, device));
      }
    }
  }

  @Test
  void anotherBatchSizeIsAnotherGraph() {
    try (CudaDevice device = open(true);
        SmallTraining training = new SmallTraining(device)) {
      training.steps(3, 5);
      long built = device.graphCounts().built();
      assertTrue(built > 0);
      training.steps(5, 5);
      long both = device.graphCounts().built();
      assertTrue(both > built);
      training.steps(3, 5);
      assertEquals(both, device.graphCounts().built());
    }
  }

  /**
   * Asked for more than the device has, the driver gets back what graphs hold; training goes on.
   */
  @Test
  void graphsGiveTheirMemoryToWhoeverHasNone() {
    Hardware boastful = Devices.withMemory(Devices.first(), Long.MAX_VALUE);
    try (CudaDevice device = new CudaDevice("cuda:0", boastful);
        SmallTraining training = new SmallTraining(device)) {
      training.steps(3, 5);
      assertEquals(1, device.graphCounts().built());
      assertThrows(
          OutOfDeviceMemoryException.class,
          () -> device.allocate(ElementType.REAL, 1L << 44, "galaxy"));
      training.steps(3, 5);
      assertEquals(2, device.graphCounts().built());
      assertEquals(train(false, 3, 3).losses(), training.outcome().losses());
    }
  }

  /** Queues y += factors[i] * x for each of them. */
  private static void addAll(CudaDevice device, DeviceBuffer x, DeviceBuffer y, float[] factors) {
    DeviceKernel axpby = device.compile(Kernel.AXPBY, null);
    KernelArgs args = new KernelArgs();
    for (float factor : factors) {
      args.clear().buffer(x, 0).buffer(y, 0).real(factor).real(1);
      device.launch(axpby, x.length(), args);
    }
  }

  @Test
  void onlyWhatDiffersIsSet() {
    try (CudaDevice device = open(true);
        DeviceBuffer x = device.allocate(ElementType.REAL, N, "x");
        DeviceBuffer y = device.allocate(ElementType.REAL, N, "y")) {
      device.fill(x, 0, N, 1);
      device.fill(y, 0, N, 0);
      device.synchronize();
      float[] factors = new float[COMMANDS];
      float expected = 0;
      for (int round = 0; round < 6; round++) {
        CommandGraphs.Counts before = device.graphCounts();
        // From the third round on there is a graph, of which the first, a middle and the last
        // command change, and change back.
        float factor = 1 + round % 2;
        factors[0] = factor;
        factors[COMMANDS / 2] = 2 * factor;
        factors[COMMANDS - 1] = 5 * factor;
        addAll(device, x, y, factors);
        expected += 8 * factor;
        float[] found = new float[N];
        device.copyOut(y, 0, found, 0, N);
        for (float value : found) {
          assertEquals(expected, value);
        }
        assertEquals(
            new CommandGraphs.Counts(round == 1 ? 1 : 0, round > 0 ? 1 : 0, round > 1 ? 3 : 0),
            since(before, device));
      }
    }
  }

  /** The copies' target changes every round, and the array as soon as the call returns. */
  @Test
  void copiesTakeWhatTheArrayHeldWhenTheyWereAsked() {
    try (CudaDevice device = open(true);
        DeviceBuffer target = device.allocate(ElementType.INT, 7 * COMMANDS, "target")) {
      int[] source = new int[5];
      for (int round = 0; round < 6; round++) {
        CommandGraphs.Counts before = device.graphCounts();
        for (int i = 0; i < COMMANDS; i++) {
          Arrays.fill(source, 1000 * round + i);
          device.copyIn(source, 0, target, 5L * i + round, 5);
          Arrays.fill(source, -1);
        }
        int[] found = new int[5 * COMMANDS];
        device.copyOut(target, round, found, 0, found.length);
        for (int i = 0; i < found.length; i++) {
          assertEquals(1000 * round + i / 5, found[i], "round " + round + ", element " + i);
        }
        assertEquals(round > 1 ? COMMANDS : 0, since(before, device).changed());
      }
    }
  }

  /** More than a list holds, again and again. */
  @Test
  void longStepsAreSeveralGraphs() {
    try (CudaDevice device = open(true);
        DeviceBuffer x = device.allocate(ElementType.REAL, 4, "x");
        DeviceBuffer y = device.allocate(ElementType.REAL, 4, "y")) {
      device.fill(x, 0, 4, 1);
      device.fill(y, 0, 4, 0);
      device.synchronize();
      float[] ones = new float[2 * CommandList.CAPACITY + COMMANDS];
      Arrays.fill(ones, 1);
      float[] found = new float[4];
      for (int round = 1; round < 5; round++) {
        addAll(device, x, y, ones);
        device.copyOut(y, 0, found, 0, 4);
        assertEquals(round * ones.length, found[3]);
      }
      // The full lists are alike, so the second is known already.
      assertEquals(new CommandGraphs.Counts(2, 2 * 4 - 1 + 3, 0), device.graphCounts());
    }
  }

  /** With more shapes than graphs are kept, the least used one goes. */
  @Test
  void shapesBeyondThoseKeptGoOn() {
    try (CudaDevice device = open(true);
        DeviceBuffer x = device.allocate(ElementType.REAL, 4, "x");
        DeviceBuffer y = device.allocate(ElementType.REAL, 4, "y")) {
      device.fill(x, 0, 4, 1);
      device.fill(y, 0, 4, 0);
      device.synchronize();
      float[] found = new float[4];
      float expected = 0;
      for (int round = 0; round < 4; round++) {
        for (int shape = 0; shape <= CommandGraphs.MOST; shape++) {
          float[] ones = new float[COMMANDS + shape];
          Arrays.fill(ones, 1);
          addAll(device, x, y, ones);
          expected += ones.length;
          device.copyOut(y, 0, found, 0, 4);
          assertEquals(expected, found[0]);
        }
      }
      // Round 1 makes all and drops the first, which round 2 sees anew and round 3 makes anew.
      assertTrue(device.graphCounts().built() > CommandGraphs.MOST + 1);
      assertTrue(device.graphCounts().replayed() > 2 * CommandGraphs.MOST);
    }
  }

  /** What was asked before a buffer is closed is done with it. */
  @Test
  void aBufferMayBeClosedWhileItsCommandsWait() {
    try (CudaDevice device = open(true);
        DeviceBuffer y = device.allocate(ElementType.REAL, N, "y")) {
      device.fill(y, 0, N, 1);
      DeviceBuffer x = device.allocate(ElementType.REAL, N, "x");
      device.fill(x, 0, N, 3);
      addAll(device, x, y, new float[] {2});
      x.close();
      float[] found = new float[N];
      device.copyOut(y, 0, found, 0, N);
      assertEquals(7, found[N - 1]);
    }
  }

  /** A launch by the driver's own function, as another library would do it. */
  private static final class Adding implements ForeignWork {
    private final CudaKernel axpby;
    private final ParameterBlock parameters = new ParameterBlock();
    private int issued;
    private RuntimeException refusal;

    Adding(CudaDevice device) {
      axpby = (CudaKernel) device.compile(Kernel.AXPBY, null);
    }

    @Override
    public String name() {
      return "adding";
    }

    @Override
    public void issue(jcuda.driver.CUstream stream, long[] words, int from) {
      if (refusal != null) {
        throw refusal;
      }
      issued++;
      CommandList list = new CommandList();
      list.begin();
      for (int i = 0; i < 5; i++) {
        list.value(words[from + i]);
      }
      list.kernel(axpby, 1, 256, 0);
      ReturnCode.require(
          jcuda.driver.JCudaDriver.cuLaunchKernel(
              axpby.handle(), 1, 1, 1, 256, 1, 1, 0, stream, parameters.load(list, 0), null),
          "cuLaunchKernel");
    }
  }

  private static long[] words(DeviceBuffer x, DeviceBuffer y, float factor) {
    return new long[] {
      CudaBuffer.address(x, 0),
      CudaBuffer.address(y, 0),
      Float.floatToRawIntBits(factor),
      Float.floatToRawIntBits(1),
      x.length()
    };
  }

  @Test
  void foreignWorkIsPartOfAGraph() {
    try (CudaDevice device = open(true);
        DeviceBuffer x = device.allocate(ElementType.REAL, N, "x");
        DeviceBuffer y = device.allocate(ElementType.REAL, N, "y")) {
      Adding adding = new Adding(device);
      device.fill(x, 0, N, 1);
      device.fill(y, 0, N, 0);
      device.synchronize();
      float[] factors = new float[COMMANDS];
      float[] found = new float[N];
      float expected = 0;
      for (int round = 0; round < 8; round++) {
        // The factor belongs to the words, so a new one is other work.
        float factor = round < 5 ? 10 : 20;
        factors[0] = round;
        addAll(device, x, y, factors);
        device.stream().foreign(adding, words(x, y, factor), 5);
        addAll(device, x, y, factors);
        expected += 2 * round + factor;
        device.copyOut(y, 0, found, 0, N);
        for (float value : found) {
          assertEquals(expected, value, "round " + round);
        }
      }
      // Each kind of work is asked for when it comes first, and when it becomes part of a graph.
      assertEquals(4, adding.issued);
      assertEquals(2, device.graphCounts().built());
      assertEquals(6, device.graphCounts().replayed());
      adding.parameters.close();
    }
  }

  /** Alone it is no graph; while its graph is made it may fail as well. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void afterForeignWorkFailsItCanOnlyBeClosed(boolean whileCaptured) {
    try (CudaDevice device = open(true);
        DeviceBuffer x = device.allocate(ElementType.REAL, N, "x");
        DeviceBuffer y = device.allocate(ElementType.REAL, N, "y")) {
      Adding adding = new Adding(device);
      for (int round = 0; round < (whileCaptured ? 2 : 1); round++) {
        addAll(device, x, y, new float[COMMANDS]);
        adding.refusal =
            round == (whileCaptured ? 1 : 0) ? new DeviceException("a library refuses") : null;
        device.stream().foreign(adding, words(x, y, 1), 5);
        if (adding.refusal == null) {
          device.synchronize();
        }
      }
      String said = assertThrows(DeviceException.class, device::synchronize).getMessage();
      assertEquals("backend \"cuda:0\" failed: a library refuses; it can only be closed", said);
      DeviceException again = assertThrows(DeviceException.class, () -> device.fill(x, 0, N, 0));
      assertTrue(again.getMessage().contains("can only be closed"), again.getMessage());
      adding.parameters.close();
    }
  }

  @Test
  void whatFailsInsideAReplayedGraphIsSaidToBeThere() {
    requireSimulation();
    CudaDevice device = open(true);
    try (DeviceBuffer x = device.allocate(ElementType.REAL, N, "x")) {
      KernelArgs args = new KernelArgs();
      DeviceKernel tanh = device.compile(Kernel.TANH_FORWARD, null);
      DeviceException failure = null;
      for (int round = 0; round < 3; round++) {
        addAll(device, x, x, new float[COMMANDS]);
        args.clear().buffer(x, round == 2 ? 1L << 40 : 0).buffer(x, 0);
        device.launch(tanh, N, args);
        if (round == 2) {
          failure = assertThrows(DeviceException.class, device::synchronize);
        } else {
          device.synchronize();
        }
      }
      for (String word :
          List.of(
              "a queued command, which may be inside a replayed graph",
              COMMANDS + 1 + " commands, axpby to tanh_forward",
              "CUDA_ERROR_ILLEGAL_ADDRESS",
              "it can only be closed")) {
        assertTrue(failure.getMessage().contains(word), failure.getMessage());
      }
    }
    assertThrows(DeviceException.class, device::synchronize);
    device.close();
    try (CudaDevice next = open(true)) {
      next.synchronize();
    }
  }

  @Test
  void theSwitchKnowsTwoWords() {
    Devices.first();
    System.setProperty("unroll.cuda.graphs", "perhaps");
    try {
      String said =
          assertThrows(
                  IllegalArgumentException.class, () -> new CudaDevice("cuda:0", Devices.first()))
              .getMessage();
      assertEquals("-Dunroll.cuda.graphs must be true or false, but is perhaps", said);
    } finally {
      System.clearProperty("unroll.cuda.graphs");
    }
  }

  private static void requireSimulation() {
    Assumptions.assumeTrue(Devices.first().isSimulated(), "only the simulation has such settings");
  }

  /** With a seed the simulation runs nodes in any order that their edges allow. */
  @Test
  void theOrderOfNodesIsThatOfCommands() throws IOException {
    requireSimulation();
    List<String> plain = GraphProcess.run(Map.of(), "-Dunroll.cuda.graphs=false");
    assertTrue(plain.get(1).contains("replayed=0"), plain::toString);
    for (String seed : List.of("0", "3", "4")) {
      List<String> found = GraphProcess.run(Map.of("UNROLL_CUDASIM_SEED", seed));
      assertEquals(plain.get(0), found.get(0), "seed " + seed);
      assertTrue(!found.get(1).contains("replayed=0"), found::toString);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuGraphLaunch:2:719",
        "cuGraphExecKernelNodeSetParams:3:1",
        "cuGraphInstantiateWithFlags:1:999",
        "cuGraphAddMemcpyNode:1:1",
        "cuGraphAddKernelNode:5:719",
        "cuGraphCreate:1:1"
      })
  void aFailureIsNamedAndTheBackendCloses(String fault) throws IOException {
    requireSimulation();
    List<String> said = GraphProcess.run(Map.of("UNROLL_CUDASIM_FAIL", fault));
    assertEquals(2, said.size(), said::toString);
    assertTrue(said.get(0).contains("a graph of "), said::toString);
    assertTrue(said.get(0).contains("scale_by"), said::toString);
    assertTrue(said.get(0).contains("it can only be closed"), said::toString);
  }

  /** What a graph would have taken is memory that the backend can do without. */
  @ParameterizedTest
  @ValueSource(strings = {"cuGraphInstantiateWithFlags:1:2", "cuGraphAddKernelNode:9:2"})
  void withoutRoomForAGraphCommandsGoOneByOne(String fault) throws IOException {
    requireSimulation();
    List<String> plain = GraphProcess.run(Map.of(), "-Dunroll.cuda.graphs=false");
    List<String> found = GraphProcess.run(Map.of("UNROLL_CUDASIM_FAIL", fault));
    assertEquals(plain, found);
  }
}
