package io.unroll.device.cuda;

import java.nio.ByteBuffer;
import jcuda.Pointer;

/**
 * The parameters of a launch, eight bytes for each, and the table of their addresses that the
 * driver wants. Both lie in memory that does not move, so that a launch makes no object.
 */
final class ParameterBlock implements AutoCloseable {
  /** More than an entry has. */
  static final int CAPACITY = 32;

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

  /**
   * Takes the parameters of launch i of a list. Those of four bytes are the low half of their
   * value, which comes first: all hosts of CUDA are little-endian.
   *
   * @return the addresses of all parameters, which the driver reads before its call returns
   */
  Pointer load(CommandList list, int i) {
    long[] all = list.values();
    int from = list.valuesFrom(i);
    for (int k = from; k < list.valuesFrom(i + 1); k++) {
      values.putLong((k - from) * Long.BYTES, all[k]);
    }
    return table;
  }

  @Override
  public void close() {
    memory.close();
  }
}
