package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.DeviceKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BoundTest {
  private static final String ROW =
      "{\"ceiling\":\"%s\",\"of\":\"%s\",\"median\":%s,\"description\":\"cuda:0 (Some GPU, GPU,"
          + " float32)\"}";

  /** A device of 10 processors that computes 1 TFLOP/s, moves 100 GB/s and launches in 2 us. */
  private static final List<String> ROWS =
      List.of(
          ROW.formatted("reported", "processors", "10"),
          ROW.formatted("copy", "by a kernel", "100"),
          ROW.formatted("copy", "by the driver", "90"),
          ROW.formatted("read", "by every group, from L2", "400"),
          ROW.formatted("fma", "FP32", "1"),
          ROW.formatted("mma", "BF16", "8"),
          ROW.formatted("gemm", "FP32, 4096 x 4096 x 4096", "0.5"),
          ROW.formatted("block_barrier", "256 lanes", "50"),
          ROW.formatted("kernel_boundary", "launches", "4"),
          ROW.formatted("kernel_boundary", "graph", "2"));

  private static MeasuredCeilings ceilings(Path folder, List<String> rows) throws IOException {
    return MeasuredCeilings.read(Files.write(folder.resolve("ceilings.jsonl"), rows));
  }

  private static Bound.Estimate stepwise(Path folder, BenchCase what) throws IOException {
    try (Backend backend = Backend.open("cpu", new BackendOptions(1, Precision.FP32))) {
      return new Bound(ceilings(folder, ROWS)).of(what, backend);
    }
  }

  /** By hand, of a way that nobody has counted: a launch a step, of all processors. */
  @Test
  void addsUpWhatAStepWaitsFor(@TempDir Path folder) throws IOException {
    BenchCase what =
        BenchCase.of(CellSpec.LSTM, new Shape(100, 8, 32, 64), 1, BenchCase.Mode.TRAIN);
    Bound.Estimate found = stepwise(folder, what);
    double recurrent = 2 * 2.0 * 800 * 256 * 64;
    assertEquals(recurrent / 1e12, found.seconds().get(Bound.Part.RECURRENCE), 1e-15);
    double others = 3 * 2.0 * 800 * 256 * (32 + 64) - recurrent;
    assertEquals(others / 1e12, found.seconds().get(Bound.Part.PRODUCTS), 1e-15);
    double cache = 2 * 100 * 4.0 * 256 * 64 / 400e9;
    assertEquals(cache, found.seconds().get(Bound.Part.CACHE), 1e-15);
    double memory = what.leastBytes() / 100e9;
    assertEquals(memory, found.seconds().get(Bound.Part.MEMORY), 1e-15);
    double launches = found.seconds().get(Bound.Part.LAUNCHES);
    assertTrue(launches >= (200 + 6) * 2e-6 - 1e-12, launches + " s");
    double chain = launches + Math.max(cache, recurrent / 1e12) + others / 1e12;
    assertEquals(chain, found.total(), 1e-15);
    assertEquals(Bound.Part.LAUNCHES, found.largest());
    JsonObject line = new JsonObject();
    Spread twice = new Spread(2e3 * found.total(), 0, 0, 5);
    found.addTo(line, new BenchTimes(twice, null, null, null, null, 0));
    assertEquals(0.5, line.get("bound_share").getAsDouble(), 1e-12);
    assertEquals(2 * line.get("of_peak").getAsDouble(), line.get("of_gemm").getAsDouble(), 1e-12);
    assertEquals("launches", line.get("bound_by").getAsString());
    assertEquals(memory / found.total() / 2, line.get("of_memory").getAsDouble(), 1e-12);
    assertEquals(
        what.operations() / 1e12 / found.total() / 2, line.get("of_peak").getAsDouble(), 1e-12);
  }

  @Test
  void isBoundByMemoryWhereThatTakesLongest(@TempDir Path folder) throws IOException {
    BenchCase what =
        BenchCase.of(CellSpec.TANH, new Shape(1, 100_000, 100, 1), 1, BenchCase.Mode.FORWARD);
    Bound.Estimate found = stepwise(folder, what);
    assertEquals(Bound.Part.MEMORY, found.largest());
    assertEquals(what.leastBytes() / 100e9, found.total(), 1e-15);
  }

  /** W_hh on the chip: barriers instead of launches, on as many processors as there are groups. */
  @Test
  void knowsTheWaysOfCuda(@TempDir Path folder) throws IOException {
    DeviceKind.CUDA.require();
    Bound bound = new Bound(ceilings(folder, ROWS));
    try (Backend backend = Backend.open("cuda", new BackendOptions(0, Precision.FP32))) {
      BenchCase small =
          BenchCase.of(CellSpec.TANH, new Shape(50, 8, 16, 100), 1, BenchCase.Mode.FORWARD);
      Bound.Estimate found = bound.of(small, backend);
      assertEquals(50 * 50e-9, found.seconds().get(Bound.Part.BARRIERS), 1e-15);
      assertEquals(2 * 2e-6, found.seconds().get(Bound.Part.LAUNCHES), 1e-15);
      assertEquals(0, found.seconds().get(Bound.Part.CACHE));
      // 8 rows are two groups of 4, on 2 of 10 processors.
      double recurrent = 2.0 * 50 * 8 * 100 * 100;
      assertEquals(recurrent / 0.2e12, found.seconds().get(Bound.Part.RECURRENCE), 1e-15);
      BenchCase large =
          BenchCase.of(CellSpec.LSTM, new Shape(50, 8, 16, 700), 1, BenchCase.Mode.FORWARD);
      found = bound.of(large, backend);
      assertEquals((50 + 2) * 2e-6, found.seconds().get(Bound.Part.LAUNCHES), 1e-15);
      assertTrue(found.seconds().get(Bound.Part.CACHE) >= 50 * 4.0 * 2800 * 700 / 400e9);
      assertTrue(
          assertThrows(InputException.class, () -> bound.requireSame(backend))
              .getMessage()
              .contains("are of \"Some GPU\", but this is"));
    }
  }

  @Test
  void refusesWhatHasNoCeilings(@TempDir Path folder) throws IOException {
    MeasuredCeilings few = ceilings(folder, ROWS.subList(0, 3));
    assertTrue(
        assertThrows(InputException.class, few::cache).getMessage().contains("no figure of read"));
    assertThrows(InputException.class, () -> few.operations(Precision.TF32));
    assertThrows(InputException.class, () -> ceilings(folder, List.of("{\"cell\":\"gru\"}")));
    assertThrows(InputException.class, () -> ceilings(folder, List.of("no JSON {")));
    CommandRun.of(
            "bench",
            "--device",
            "cpu",
            "--against",
            Files.write(folder.resolve("of-another.jsonl"), ROWS))
        .failed(2, "Some GPU", "measure them on this device");
  }
}
