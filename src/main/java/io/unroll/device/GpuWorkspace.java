package io.unroll.device;

/**
 * Scratch of a GPU that is used for one launch after another. It grows, and is given back with the
 * last buffer of others, so a steady step allocates nothing.
 */
final class GpuWorkspace implements Ledger.Scratch {
  private final Gpu gpu;
  private final String purpose;
  private DeviceBuffer buffer;

  GpuWorkspace(Gpu gpu, String purpose) {
    this.gpu = gpu;
    this.purpose = purpose;
    gpu.ledger().watch(this);
  }

  /** So many reals of undefined content, until the next call. */
  DeviceBuffer reals(long length) {
    if (buffer == null || buffer.length() < length) {
      release();
      buffer = gpu.allocate(ElementType.REAL, length, purpose);
    }
    return buffer;
  }

  @Override
  public long bytes() {
    return buffer == null ? 0 : buffer.length() * ElementType.REAL.bytes(gpu.precision());
  }

  @Override
  public void release() {
    DeviceBuffer given = buffer;
    buffer = null;
    if (given != null) {
      given.close();
    }
  }
}
