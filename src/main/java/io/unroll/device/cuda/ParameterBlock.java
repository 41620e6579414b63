package io.unroll.device.cuda;

import java.nio.ByteBuffer;
import jcuda.Pointer;

/**
 * The parameters of a launch, eight bytes for each, and the table of their addresses that the
 * driver wants. Both lie in memory that does not move, so that a launch makes no object.
 */
final class ParameterBlock implements AutoCloseable {
  /** More than an entry has. */
  private static final int CAPACITY = 32;

  private static final int BYTES = CAPACITY * Long.BYTES;

  private final HostMemory memory;
  private final ByteBuffer values;
  private final Pointer table;

  /** Takes memory of the context that is current. */
  ParameterBlock() {
    memory = new HostMemory(2 * BYTES, "the parameters of launches");
    values = memory.slice(0, BYTES);
    ByteBuffer addresses = memory.slice(BYTES, BYTES);
    for (int i = 0; i < CAPACITY; i++) {
      addresses.putLong(i * Long.BYTES, memory.address() + (long) i * Long.BYTES);
    }
    table = memory.withByteOffset(BYTES);
  }

  /** Sets a parameter to the four bytes of an int or a float. */
  void setFour(int index, int bits) {
    values.putInt(index * Long.BYTES, bits);
  }

  /** Sets a parameter to a long or to an address. */
  void setEight(int index, long bits) {
    values.putLong(index * Long.BYTES, bits);
  }

  /** The addresses of all parameters, for cuLaunchKernel, which reads them before it returns. */
  Pointer table() {
    return table;
  }

  @Override
  public void close() {
    memory.close();
  }
}
