package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.DeviceException;
import java.io.PrintWriter;
import java.util.List;

/** Many cases one after the other on one open device, within a time. */
final class BenchGrid {
  private static final double NANOS = 1e9;

  private final List<BenchCase> cases;
  private final Provenance provenance;
  private final Bound bound;

  /**
   * Cases that are all in the precision of the backend.
   *
   * @param bound what they are held against, or null
   */
  BenchGrid(List<BenchCase> cases, Provenance provenance, Bound bound) {
    this.cases = cases;
    this.provenance = provenance;
    this.bound = bound;
  }

  /**
   * Prints a line of JSON for each case as soon as it is there. A case that fails has {@code error}
   * in place of its times, one for which no time is left {@code skipped}, and of a model no more
   * than the bound.
   *
   * @param most seconds to time a case; less where the budget is short
   * @param budget seconds for all
   * @return how many failed
   */
  int run(double most, double budget, PrintWriter out) {
    Gson gson = new Gson();
    Backend backend = provenance.backend();
    long begun = System.nanoTime();
    int failures = 0;
    try (Stopwatch watch = new Stopwatch(backend)) {
      for (int i = 0; i < cases.size(); i++) {
        BenchCase next = cases.get(i);
        JsonObject line = next.describe(provenance);
        double left = budget - (System.nanoTime() - begun) / NANOS;
        if (left <= 0) {
          line.addProperty("skipped", "the budget of " + budget + " s was spent");
          if (bound != null) {
            bound.of(next, backend).addTo(line);
          }
        } else {
          double seconds = Math.min(most, left / (cases.size() - i) / watch.whole());
          try (Workload work = workload(backend, next)) {
            BenchTimes times = watch.measure(work, () -> workload(backend, next), seconds);
            times.addTo(line, next);
            if (bound != null) {
              bound.of(next, backend).addTo(line, times);
            }
          } catch (DeviceException | WorkFailedException e) {
            line.addProperty("error", e.getMessage());
            failures++;
          }
        }
        out.println(gson.toJson(line));
        out.flush();
      }
    }
    return failures;
  }

  /** What runs a case. */
  static Workload workload(Backend backend, BenchCase what) {
    return what.mode() == BenchCase.Mode.STEP
        ? new CharRnnBench(backend, what)
        : new RecurrentBench(backend, what);
  }
}
