package io.unroll.device.cuda;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

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

  private final CommandStream stream;
  private final HostMemory memory;
  private final Pointer[] starts = new Pointer[HALVES];
  private final FloatBuffer[] floats = new FloatBuffer[HALVES];
  private final IntBuffer[] integers = new IntBuffer[HALVES];

  /** For each half the event after its last copy, and whether one may be under way. */
  private final CUevent[] left = new CUevent[HALVES];

  private final boolean[] isLeft = new boolean[HALVES];

  /** The events of the copies from the device. */
  private final CUevent[] arrivals = new CUevent[HALVES];

  private int half;
  private int used;

  /**
   * @throws io.unroll.DeviceException if there is no memory for it
   */
  Staging(CommandStream stream) {
    this.stream = stream;
    memory = new HostMemory((long) HALVES * HALF, "the staging memory");
    for (int i = 0; i < HALVES; i++) {
      starts[i] = memory.withByteOffset((long) i * HALF);
      floats[i] = memory.slice(i * HALF, HALF).asFloatBuffer();
      integers[i] = memory.slice(i * HALF, HALF).asIntBuffer();
      left[i] = stream.newEvent(CUevent_flags.CU_EVENT_DISABLE_TIMING);
      arrivals[i] = stream.newEvent(CUevent_flags.CU_EVENT_DISABLE_TIMING);
    }
  }

  /**
   * Queues a copy of count elements of a float[], double[] or int[] into a buffer. Doubles are
   * rounded to float. The array may be changed afterwards.
   */
  void copyIn(Object source, int from, DeviceMemory target, long at, int count) {
    for (int done = 0; done < count; ) {
      if (used == HALF) {
        nextHalf();
      }
      int part = Math.min(count - done, (HALF - used) / Integer.BYTES);
      put(source, from + done, part);
      stream.write(
          target.address() + Integer.BYTES * (at + done),
          memory.address() + (long) half * HALF + used,
          (long) Integer.BYTES * part);
      used = (used + Integer.BYTES * part + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      done += part;
    }
  }

  private void nextHalf() {
    stream.record(left[half]);
    isLeft[half] = true;
    half = (half + 1) % HALVES;
    used = 0;
    if (isLeft[half]) {
      isLeft[half] = false;
      stream.await(left[half]);
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
   * Waits for the stream and copies count elements of a buffer into a float[], double[] or int[].
   * While one half is copied on, the device fills the other.
   */
  void copyOut(CUdeviceptr source, long at, Object target, int to, int count) {
    int whole = HALF / Integer.BYTES;
    read(0, source, at, Math.min(whole, count));
    int side = 0;
    for (int done = 0; done < count; done += whole) {
      int next = done + whole;
      if (next < count) {
        read(1 - side, source, at + next, Math.min(whole, count - next));
      }
      stream.await(arrivals[side]);
      take(side, target, to + done, Math.min(whole, count - done));
      side = 1 - side;
    }
    restart();
  }

  private void read(int half, CUdeviceptr source, long at, int count) {
    stream.read(source, Integer.BYTES * at, (long) Integer.BYTES * count, starts[half]);
    stream.record(arrivals[half]);
  }

  /**
   * The stream runs in order, so after a read nothing is under way from either half. That the next
   * step's copies begin at the same place again lets graphs stay as they are.
   */
  private void restart() {
    half = 0;
    used = 0;
    for (int i = 0; i < HALVES; i++) {
      isLeft[i] = false;
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

  /** Frees the memory; the context must be current, and nothing be under way. */
  @Override
  public void close() {
    for (int i = 0; i < HALVES; i++) {
      ReturnCode.freed(JCudaDriver.cuEventDestroy(left[i]), "cuEventDestroy");
      ReturnCode.freed(JCudaDriver.cuEventDestroy(arrivals[i]), "cuEventDestroy");
    }
    memory.close();
  }
}
