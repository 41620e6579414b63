package io.unroll.cli;

import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.device.Device;
import io.unroll.device.FusedRecurrence;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * How long a case takes at least by the way in which the device runs it, from what the device can
 * do at best: docs/performance.md, "What bounds a recurrence".
 */
final class Bound {
  /** What time goes into. */
  enum Part {
    /** From one launch to the next. */
    LAUNCHES,
    /** Waiting for the lanes of a group. */
    BARRIERS,
    /** Reading W_hh from the second cache. */
    CACHE,
    /** The products of the recurrence, on as many processors as it has groups. */
    RECURRENCE,
    /** All other products, on all processors. */
    PRODUCTS,
    /** What memory must move at least. */
    MEMORY
  }

  /** Launches of a direction of a layer: before its recurrence the input's product. */
  private static final int LAUNCHES_FORWARD = 2;

  /** Back, the recurrence and the products for dx, dW_ih and dW_hh. */
  private static final int LAUNCHES_BACKWARD = 4;

  /** Where no way runs all steps, each is a product and a cell. */
  private static final int LAUNCHES_STEPWISE = 2;

  private final MeasuredCeilings ceilings;

  Bound(MeasuredCeilings ceilings) {
    this.ceilings = ceilings;
  }

  /**
   * Refuses a device that the ceilings are not of, or whose ways nobody has counted.
   *
   * @throws InputException with what was found
   */
  void requireSame(Backend backend) {
    String own = MeasuredCeilings.device(backend.description());
    if (!own.equals(ceilings.device())) {
      throw new InputException(
          "the ceilings of %s are of \"%s\", but this is \"%s\"; measure them on this device"
              .formatted(ceilings.file(), ceilings.device(), own));
    }
    if (Device.of(backend).ceilings().ceilings() == null) {
      throw new InputException(
          "there is no model of backend \"%s\"; leave out --against".formatted(backend.name()));
    }
  }

  /**
   * The parts of a case, in seconds.
   *
   * @param seconds of each part alone
   * @param atPeak of all products on all processors
   * @param atGemm the same as fast as the backend's product of large matrices; NaN if not known
   */
  record Estimate(Map<Part, Double> seconds, double atPeak, double atGemm) {
    /**
     * A step waits for the one before, so launches, barriers and the slower of cache and products
     * add up; other products come before or after; memory can move beside all of it.
     */
    double total() {
      double steps = Math.max(of(Part.CACHE), of(Part.RECURRENCE));
      double chain = of(Part.LAUNCHES) + of(Part.BARRIERS) + steps + of(Part.PRODUCTS);
      return Math.max(chain, of(Part.MEMORY));
    }

    private double of(Part part) {
      return seconds.getOrDefault(part, 0.0);
    }

    /** What takes the most: memory only if it takes more than all others together. */
    Part largest() {
      if (of(Part.MEMORY) >= total()) {
        return Part.MEMORY;
      }
      Part largest = Part.LAUNCHES;
      for (Part part : Part.values()) {
        largest = part != Part.MEMORY && of(part) > of(largest) ? part : largest;
      }
      return largest;
    }

    /** Adds the bound and what it is bound by. */
    void addTo(JsonObject line) {
      line.addProperty("bound_ms", total() * 1e3);
      line.addProperty("bound_by", largest().name().toLowerCase(Locale.ROOT));
    }

    /**
     * Adds the bound, what it is bound by, which share of the time it is, and which shares of the
     * peak, of the product of large matrices and of what memory can do the case reaches; all by the
     * device's clock if it has one.
     */
    void addTo(JsonObject line, BenchTimes times) {
      double found = times.best().median() / 1e3;
      addTo(line);
      line.addProperty("bound_share", total() / found);
      line.addProperty("of_peak", atPeak / found);
      if (!Double.isNaN(atGemm)) {
        line.addProperty("of_gemm", atGemm / found);
      }
      line.addProperty("of_memory", of(Part.MEMORY) / found);
    }
  }

  /** The parts of a case on a device. */
  Estimate of(BenchCase what, Backend backend) {
    FusedRecurrence.Step step = step(what, backend);
    int ways = what.mode() == BenchCase.Mode.FORWARD ? 1 : 2;
    double hidden = what.shape().hiddenSize();
    double gates = what.cell().gateCount() * hidden;
    double slots = what.layers() * what.directions();
    double chain = ways * slots * what.shape().steps();
    double launches = slots * LAUNCHES_FORWARD + (ways - 1) * slots * LAUNCHES_BACKWARD;
    double peak = ceilings.operations(backend.precision());
    double recurrent = ways * slots * 2 * what.rows() * gates * hidden;
    double busy = Math.min(1, step.groups() / ceilings.processors());
    Map<Part, Double> seconds = new EnumMap<>(Part.class);
    if (step.isLaunch()) {
      launches += chain * (isOffered(what, backend) ? 1 : LAUNCHES_STEPWISE);
    } else {
      seconds.put(Part.BARRIERS, chain * ceilings.barrier());
    }
    seconds.put(Part.LAUNCHES, launches * ceilings.launch());
    seconds.put(Part.CACHE, chain * step.bytes() / ceilings.cache());
    seconds.put(Part.RECURRENCE, recurrent / (peak * busy));
    seconds.put(Part.PRODUCTS, (what.operations() - recurrent) / peak);
    seconds.put(Part.MEMORY, what.leastBytes() / ceilings.memory());
    double gemm = ceilings.gemm(backend.precision());
    return new Estimate(seconds, what.operations() / peak, what.operations() / gemm);
  }

  private static boolean isOffered(BenchCase what, Backend backend) {
    return offered(what, backend) != null;
  }

  private static FusedRecurrence offered(BenchCase what, Backend backend) {
    Shape shape = what.shape();
    return Device.of(backend)
        .fusedRecurrence(what.cell(), shape.steps(), shape.batch(), shape.hiddenSize())
        .recurrence();
  }

  private FusedRecurrence.Step step(BenchCase what, Backend backend) {
    FusedRecurrence way = offered(what, backend);
    FusedRecurrence.Step step = way == null ? null : way.step(what.shape().batch());
    if (step != null) {
      return step;
    }
    long hidden = what.shape().hiddenSize();
    long weights = (long) Float.BYTES * what.cell().gateCount() * hidden * hidden;
    return new FusedRecurrence.Step(true, (long) ceilings.processors(), weights);
  }
}
