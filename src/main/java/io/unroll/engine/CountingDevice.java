package io.unroll.engine;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Gpu;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.device.Ledger;
import io.unroll.device.RecurrentCall;
import java.util.Arrays;

/**
 * Counts what a device of some kind would hold, and computes nothing: kernels do nothing, what is
 * copied out is zeros.
 */
class CountingDevice implements Device {
  private static final FusedRecurrence NOTHING =
      new FusedRecurrence() {
        @Override
        public void forward(RecurrentCall call) {}

        @Override
        public void backward(RecurrentCall call) {}
      };

  private final Device like;
  private final Ledger ledger = new Ledger();

  private record Counted(Kernel kernel) implements DeviceKernel {}

  /** Equal to itself only, as two buffers of one size are two. */
  private record Buffer(Ledger ledger, ElementType type, long length, String purpose, long bytes)
      implements DeviceBuffer {
    @Override
    public void close() {
      ledger.remove(this, bytes);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /**
   * @param like decides how long an element is and whether recurrences are fused; it is asked for
   *     nothing else
   */
  CountingDevice(Device like) {
    this.like = like;
  }

  /** The counting device for a device. */
  static CountingDevice of(Device like) {
    return like instanceof Gpu gpu ? new CountingGpu(gpu) : new CountingDevice(like);
  }

  /** Where its buffers are entered. */
  public final Ledger ledger() {
    return ledger;
  }

  @Override
  public String name() {
    return like.name();
  }

  @Override
  public String description() {
    return "counts the memory of " + like.description();
  }

  @Override
  public Precision precision() {
    return like.precision();
  }

  @Override
  public long memoryBytes() {
    return like.memoryBytes();
  }

  @Override
  public long liveBytes() {
    return ledger.liveBytes();
  }

  @Override
  public long peakBytes() {
    return ledger.peakBytes();
  }

  @Override
  public void synchronize() {}

  @Override
  public void close() {
    ledger.requireEmpty(name());
  }

  @Override
  public DeviceBuffer allocate(ElementType type, long length, String purpose) {
    long bytes = Math.multiplyExact(length, type.bytes(precision()));
    Buffer buffer = new Buffer(ledger, type, length, purpose, bytes);
    ledger.add(buffer, bytes);
    return buffer;
  }

  @Override
  public void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {}

  @Override
  public void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {}

  @Override
  public void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {}

  @Override
  public void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    Arrays.fill(target, to, to + count, 0);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    Arrays.fill(target, to, to + count, 0);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    Arrays.fill(target, to, to + count, 0);
  }

  @Override
  public void fill(DeviceBuffer target, long at, long count, double value) {}

  @Override
  public void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      DeviceBuffer a,
      long aAt,
      int lda,
      DeviceBuffer b,
      long bAt,
      int ldb,
      double beta,
      DeviceBuffer c,
      long cAt,
      int ldc) {}

  @Override
  public DeviceKernel compile(Kernel kernel, CellSpec cell) {
    return new Counted(kernel);
  }

  @Override
  public void launch(DeviceKernel kernel, long items, KernelArgs args) {}

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    FusedRecurrence.Offer offer = like.fusedRecurrence(cell, steps, batch, hiddenSize);
    return offer.recurrence() == null ? offer : FusedRecurrence.Offer.of(NOTHING);
  }
}
