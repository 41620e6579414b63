package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.TextCorpus;
import io.unroll.nn.Tape;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SteadyStepTest {
  private static final int WARM_UP = 300; // until all is compiled
  private static final int STEPS = 40;
  private static final long ALLOWED_BYTES = 1000;

  /** On JDK 25 LWJGL reaches native memory by java.lang.foreign, which leaves a few objects. */
  private static final long ALLOWED_BYTES_BY_LWJGL = 2000;

  static Stream<Arguments> judged() {
    return RequiredBackendsTest.judged()
        .flatMap(name -> Stream.of(8, 0).map(embeddingSize -> Arguments.of(name, embeddingSize)));
  }

  @ParameterizedTest(name = "{0}, embedding {1}")
  @MethodSource("judged")
  void makesLittleGarbageAndTakesNoDeviceMemory(String name, int embeddingSize) {
    Assumptions.assumeTrue(
        ManagementFactory.getThreadMXBean() instanceof ThreadMXBean, "no count of allocations");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    TextCorpus corpus = TextCorpus.fromString("rhyme", "hickory dickory dock. ".repeat(400));
    CharRnn.Config config = new CharRnn.Config(CellSpec.LSTM, 16, 2, embeddingSize, 0);
    try (Backend backend = Backend.open(name);
        CharRnn model = new CharRnn(backend, corpus.vocabulary(), config, 1);
        Tape tape = new Tape(backend);
        CharRnn.TextTask task = model.task(corpus.ids(), 10, 4);
        Trainer trainer =
            new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.001)).clipNorm(5)) {
      trainer.train(task, null, WARM_UP);
      long held = backend.liveBytes();
      long before = threads.getCurrentThreadAllocatedBytes();
      trainer.train(task, null, WARM_UP + STEPS);
      long bytes = (threads.getCurrentThreadAllocatedBytes() - before) / STEPS;
      long allowed = name.equals("opencl") ? ALLOWED_BYTES_BY_LWJGL : ALLOWED_BYTES;
      assertTrue(bytes < allowed, () -> bytes + " bytes of garbage a step");
      assertEquals(held, backend.liveBytes());
    }
  }
}
