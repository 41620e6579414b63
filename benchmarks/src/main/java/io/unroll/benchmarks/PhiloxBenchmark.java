package io.unroll.benchmarks;

import io.unroll.Philox;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Nanoseconds for one number of {@link Philox#uniform} at consecutive positions, as dropout on the
 * host draws them. The yardstick is the JDK's {@link SplittableRandom}, which has to draw in order.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PhiloxBenchmark {
  private static final int COUNT = 4096;
  private static final long SEED = 20261123;

  private final float[] drawn = new float[COUNT];
  private final SplittableRandom random = new SplittableRandom(SEED);

  /** Checks that what is timed is uniform: the mean is within six of its standard deviations. */
  @Setup
  public void check() {
    double sum = 0;
    for (float value : philox()) {
      sum += value;
    }
    double deviations = Math.abs(sum / COUNT - 0.5) * Math.sqrt(12.0 * COUNT);
    if (!(deviations < 6)) {
      throw new IllegalStateException(
          "the mean of " + COUNT + " numbers is " + deviations + " deviations from 0.5");
    }
  }

  /** Fills the array through Philox. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public float[] philox() {
    for (int i = 0; i < COUNT; i++) {
      drawn[i] = Philox.uniform(SEED, i);
    }
    return drawn;
  }

  /** Fills it through the JDK's generator: 24 bits as a float, likewise. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public float[] splittableRandom() {
    for (int i = 0; i < COUNT; i++) {
      drawn[i] = (random.nextInt() >>> 8) * 0x1p-24f;
    }
    return drawn;
  }
}
