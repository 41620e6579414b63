package io.unroll.device;

import io.unroll.CellSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@link Device#fusedRecurrence} by the text of {@code kernels}. Where a device has programs that
 * keep W_hh on the chip and its groups have the memory, one launch runs all steps ({@code
 * block.h}). Where the states of a few rows lie in a group's own memory and W_hh there as well, or
 * is small enough to be read again at every step, one launch does so too ({@code sequence.h}); else
 * each step is one launch of product and cell together ({@code step.h}). Where a device has not all
 * programs, the nearest that it has is taken. {@code -Dunroll.gpu.recurrence=block}, {@code
 * sequence} or {@code step} allows only that one.
 */
public final class GpuRecurrences {
  /**
   * W_hh up to so many bytes is read from the device's caches at every step rather than launched
   * anew: about what a processor reads in the time of a launch, 256 KiB at 32 bytes a cycle being 8
   * µs. A model; no device has confirmed it yet.
   */
  private static final long STREAMED_BYTES = 256 << 10;

  private final Gpu gpu;
  private final String allowed = System.getProperty("unroll.gpu.recurrence", "any");
  private final GpuWorkspace transposed;
  private final Map<Key, FusedRecurrence.Offer> offers = new HashMap<>();

  private record Key(CellSpec cell, int batch, int hiddenSize) {}

  /** Of a device; compiles nothing yet. */
  public GpuRecurrences(Gpu gpu) {
    this.gpu = gpu;
    this.transposed = new GpuWorkspace(gpu, "transposed recurrent weights");
    if (!List.of("any", "block", "sequence", "step").contains(allowed)) {
      throw new IllegalArgumentException(
          "-Dunroll.gpu.recurrence must be any, block, sequence or step, but is " + allowed);
    }
  }

  /** Answers {@link Device#fusedRecurrence}. */
  public FusedRecurrence.Offer offer(CellSpec cell, int batch, int hiddenSize) {
    return offers.computeIfAbsent(new Key(cell, batch, hiddenSize), this::newOffer);
  }

  private FusedRecurrence.Offer newOffer(Key key) {
    if (allows("block")) {
      GpuBlockPlan plan = GpuBlockPlan.of(gpu, key.cell, key.hiddenSize);
      if (plan.fits()) {
        return FusedRecurrence.Offer.of(new GpuBlock(gpu, key.cell, plan));
      }
      if (allowed.equals("block")) {
        return refused(key, "one launch with W_hh on the chip", plan.why());
      }
    }
    if (allows("sequence")) {
      GpuSequencePlan plan =
          GpuSequencePlan.of(gpu, key.cell, key.batch, key.hiddenSize, STREAMED_BYTES);
      if (plan.fits()) {
        return FusedRecurrence.Offer.of(new GpuSequence(gpu, transposed, key.cell, plan));
      }
      if (allowed.equals("sequence")) {
        return refused(key, "one launch", plan.why());
      }
    }
    GpuStep step = new GpuStep(gpu, transposed, key.cell, key.batch, key.hiddenSize);
    return step.isThere()
        ? FusedRecurrence.Offer.of(step)
        : refused(key, "a launch for each step", "no program was compiled for this cell");
  }

  private boolean allows(String way) {
    return allowed.equals(way) || allowed.equals("any");
  }

  private FusedRecurrence.Offer refused(Key key, String what, String why) {
    return FusedRecurrence.Offer.refused(
        "%s with H=%d does not fit %s on \"%s\": %s"
            .formatted(key.cell, key.hiddenSize, what, gpu.name(), why));
  }
}
