package io.unroll.device;

import io.unroll.CellSpec;
import java.util.HashMap;
import java.util.Map;

/**
 * {@link Device#fusedRecurrence} by the text of {@code kernels/gpu}. Where the states of a few rows
 * lie in a group's own memory and W_hh there as well, or is small enough to be read again at every
 * step, one launch runs all steps ({@code sequence.h}); else each step is one launch of product and
 * cell together ({@code step.h}). {@code -Dunroll.gpu.recurrence=sequence} or {@code step} allows
 * only that one.
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
    if (!allowed.equals("any") && !allowed.equals("sequence") && !allowed.equals("step")) {
      throw new IllegalArgumentException(
          "-Dunroll.gpu.recurrence must be any, sequence or step, but is " + allowed);
    }
  }

  /** Answers {@link Device#fusedRecurrence}. */
  public FusedRecurrence.Offer offer(CellSpec cell, int batch, int hiddenSize) {
    return offers.computeIfAbsent(new Key(cell, batch, hiddenSize), this::newOffer);
  }

  private FusedRecurrence.Offer newOffer(Key key) {
    GpuStep step = new GpuStep(gpu, transposed, key.cell, key.batch, key.hiddenSize);
    if (allowed.equals("step")) {
      return FusedRecurrence.Offer.of(step);
    }
    GpuSequencePlan plan =
        GpuSequencePlan.of(gpu, key.cell, key.batch, key.hiddenSize, STREAMED_BYTES);
    if (plan.fits()) {
      return FusedRecurrence.Offer.of(new GpuSequence(gpu, transposed, key.cell, plan));
    }
    if (allowed.equals("any")) {
      return FusedRecurrence.Offer.of(step);
    }
    return FusedRecurrence.Offer.refused(
        "%s with H=%d does not fit one launch on \"%s\": %s"
            .formatted(key.cell, key.hiddenSize, gpu.name(), plan.why()));
  }
}
