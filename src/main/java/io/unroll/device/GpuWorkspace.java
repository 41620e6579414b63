package io.unroll.device;

/**
 * Scratch of a GPU that is used for one launch after another. It grows and is never given back
 * before it is closed, so a steady step allocates nothing.
 */
final class GpuWorkspace implements AutoCloseable {
  private final Gpu gpu;
  private final String purpose;
  private DeviceBuffer buffer;

  GpuWorkspace(Gpu gpu, String purpose) {
    this.gpu = gpu;
    this.purpose = purpose;
  }

  /** So many reals of undefined content, until the next call. */
  DeviceBuffer reals(long length) {
    if (buffer == null || buffer.length() < length) {
      close();
      buffer = gpu.allocate(ElementType.REAL, length, purpose);
    }
    return buffer;
  }

  @Override
  public void close() {
    if (buffer != null) {
      buffer.close();
      buffer = null;
    }
  }
}
