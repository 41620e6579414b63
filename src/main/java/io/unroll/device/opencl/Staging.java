package io.unroll.device.opencl;

import io.unroll.DeviceException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryUtil;

/**
 * Host memory that the device reads and writes by itself, between Java's arrays and the device's
 * buffers: a ring of {@value #HALVES} halves. Copies to the device fill one half after the other
 * and wait only where the next half is still being read.
 */
final class Staging implements AutoCloseable {
  static final int HALVES = 2;

  /** Bytes of one half. */
  static final int HALF = 4 << 20;

  /** Copies begin at multiples of it. */
  private static final int ALIGNMENT = 64;

  private final CommandQueue queue;
  private final long memory;
  private final long address;
  private final FloatBuffer[] floats = new FloatBuffer[HALVES];
  private final IntBuffer[] integers = new IntBuffer[HALVES];

  /** For each half the event after its last copy, 0 where none is under way. */
  private final long[] left = new long[HALVES];

  /** The events of the copies from the device. */
  private final long[] arrivals = new long[HALVES];

  private int half;
  private int used;

  /**
   * @throws DeviceException if there is no memory for it
   */
  Staging(CommandQueue queue) {
    this.queue = queue;
    memory =
        queue.createBuffer(
            CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_ALLOC_HOST_PTR, (long) HALVES * HALF);
    ReturnCode.require(queue.lastStatus(), "clCreateBuffer of the staging memory");
    address = queue.map(memory, (long) HALVES * HALF);
    for (int i = 0; i < HALVES; i++) {
      floats[i] = MemoryUtil.memFloatBuffer(host(i), HALF / Float.BYTES);
      integers[i] = MemoryUtil.memIntBuffer(host(i), HALF / Integer.BYTES);
    }
  }

  private long host(int half) {
    return address + (long) half * HALF;
  }

  /**
   * Queues a copy of count elements of a float[], double[] or int[] into a buffer. Doubles are
   * rounded to float. The array may be changed afterwards.
   */
  void copyIn(Object source, int from, long target, long at, int count) {
    for (int done = 0; done < count; ) {
      if (used == HALF) {
        nextHalf();
      }
      int part = Math.min(count - done, (HALF - used) / Integer.BYTES);
      put(source, from + done, part);
      queue.write(
          target, Integer.BYTES * (at + done), (long) Integer.BYTES * part, host(half) + used);
      used = (used + Integer.BYTES * part + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      done += part;
    }
  }

  private void nextHalf() {
    left[half] = queue.marker();
    half = (half + 1) % HALVES;
    used = 0;
    if (left[half] != 0) {
      long event = left[half];
      left[half] = 0;
      queue.await(event);
    }
  }

  private void put(Object source, int from, int count) {
    int to = used / Integer.BYTES;
    if (source instanceof float[] values) {
      floats[half].put(to, values, from, count);
    } else if (source instanceof int[] values) {
      integers[half].put(to, values, from, count);
    } else {
      double[] values = (double[]) source;
      for (int i = 0; i < count; i++) {
        floats[half].put(to + i, (float) values[from + i]);
      }
    }
  }

  /**
   * Waits for the queue and copies count elements of a buffer into a float[], double[] or int[].
   * While one half is copied on, the device fills the other.
   */
  void copyOut(long source, long at, Object target, int to, int count) {
    int whole = HALF / Integer.BYTES;
    arrivals[0] = read(0, source, at, Math.min(whole, count));
    int side = 0;
    for (int done = 0; done < count; done += whole) {
      int next = done + whole;
      if (next < count) {
        arrivals[1 - side] = read(1 - side, source, at + next, Math.min(whole, count - next));
        queue.flush();
      }
      queue.await(arrivals[side]);
      take(side, target, to + done, Math.min(whole, count - done));
      side = 1 - side;
    }
    restart();
  }

  private long read(int half, long source, long at, int count) {
    return queue.read(source, Integer.BYTES * at, (long) Integer.BYTES * count, host(half));
  }

  /** The queue runs in order, so after a read nothing is under way from either half. */
  private void restart() {
    half = 0;
    used = 0;
    for (int i = 0; i < HALVES; i++) {
      if (left[i] != 0) {
        ReturnCode.freed(CL10.clReleaseEvent(left[i]), "clReleaseEvent");
        left[i] = 0;
      }
    }
  }

  private void take(int half, Object target, int to, int count) {
    if (target instanceof float[] values) {
      floats[half].get(0, values, to, count);
    } else if (target instanceof int[] values) {
      integers[half].get(0, values, to, count);
    } else {
      double[] values = (double[]) target;
      for (int i = 0; i < count; i++) {
        values[to + i] = floats[half].get(i);
      }
    }
  }

  @Override
  public void close() {
    restart();
    queue.unmap(memory, address);
    ReturnCode.freed(CL10.clReleaseMemObject(memory), "clReleaseMemObject");
  }
}
