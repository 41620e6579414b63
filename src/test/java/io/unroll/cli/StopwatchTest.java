package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StopwatchTest {
  private static final long NAP_MILLIS = 2;

  /** The reference has no timer, and so needs no more of a case. */
  private static Workload none() {
    throw new AssertionError("another one was made");
  }

  /** Sleeps, and counts how often. */
  private static final class Nap implements Workload {
    private final boolean isFinite;
    private final List<Double> seconds = new ArrayList<>();
    private int prepared;
    private int done;
    private int looked;

    Nap(boolean isFinite) {
      this.isFinite = isFinite;
    }

    @Override
    public void prepare() {
      prepared++;
    }

    @Override
    public void work() {
      assertEquals(++done, prepared, "prepared before each run");
      long begun = System.nanoTime();
      try {
        Thread.sleep(NAP_MILLIS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      seconds.add((System.nanoTime() - begun) / 1e9);
    }

    @Override
    public void requireFinite() {
      looked++;
      if (!isFinite) {
        throw new WorkFailedException("the output holds NaN");
      }
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  @Test
  void runsAsLongAsItIsTold() {
    try (Backend backend = Backend.open("reference");
        Stopwatch watch = new Stopwatch(backend);
        Nap nap = new Nap(true)) {
      BenchTimes times = watch.measure(nap, StopwatchTest::none, 0.2);
      int warming = nap.done - times.host().runs();
      double warm = nap.seconds.subList(0, warming).stream().mapToDouble(s -> s).sum();
      assertTrue(warm >= 0.09, "half as long warms up: " + warm + " s");
      double timed = nap.seconds.subList(warming, nap.done).stream().mapToDouble(s -> s).sum();
      assertTrue(timed >= 0.19, timed + " s");
      assertTrue(times.host().runs() <= 0.2e3 / NAP_MILLIS + 1, times::toString);
      assertTrue(times.host().median() >= NAP_MILLIS, times::toString);
      assertEquals(1, nap.looked);
      assertNull(times.device(), "the reference has no clock of its own");
      assertEquals(1.5, watch.whole());
    }
  }

  @Test
  void runsEveryKindAFewTimesHoweverLongOneTakes() {
    try (Backend backend = Backend.open("reference");
        Stopwatch watch = new Stopwatch(backend);
        Nap nap = new Nap(true)) {
      assertEquals(Stopwatch.MIN_RUNS, watch.measure(nap, StopwatchTest::none, 0).host().runs());
      assertEquals(2 * Stopwatch.MIN_RUNS, nap.done);
    }
  }

  @Test
  void timesNothingWhoseResultsAreWrong() {
    try (Backend backend = Backend.open("reference");
        Stopwatch watch = new Stopwatch(backend);
        Nap nap = new Nap(false)) {
      assertThrows(WorkFailedException.class, () -> watch.measure(nap, StopwatchTest::none, 0));
      assertEquals(Stopwatch.MIN_RUNS, nap.done);
    }
  }
}
