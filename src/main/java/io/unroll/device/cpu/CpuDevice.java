package io.unroll.device.cpu;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.Ledger;

/** What both ways to compute on the CPU have in common. Every call has done its work on return. */
abstract class CpuDevice implements Device {
  static final Precision PRECISION = Precision.FP32;

  private final int threads;
  private final Ledger ledger = new Ledger();
  private boolean closed;

  CpuDevice(int threads) {
    this.threads = threads;
  }

  /** One line for people about the CPU with so many threads. */
  static String describe(String arithmetic, int threads) {
    String count = threads + (threads == 1 ? " thread" : " threads");
    return "cpu (" + arithmetic + ", float32, " + count + ")";
  }

  /** What it has allocated. */
  final Ledger ledger() {
    return ledger;
  }

  /** How many threads compute, the caller's included. */
  final int threads() {
    return threads;
  }

  /** Allocates a buffer and enters it into the ledger. */
  abstract CpuBuffer newBuffer(ElementType type, long length, String purpose);

  /** Makes a kernel ready whose cell is there if and only if it needs one. */
  abstract DeviceKernel kernel(Kernel kernel, CellSpec cell);

  /** Stops the threads; called once. */
  abstract void stop();

  @Override
  public final String name() {
    return "cpu";
  }

  @Override
  public final Precision precision() {
    return PRECISION;
  }

  @Override
  public final long liveBytes() {
    return ledger.liveBytes();
  }

  @Override
  public final long peakBytes() {
    return ledger.peakBytes();
  }

  /** Does nothing: no call returns before its work is done. */
  @Override
  public final void synchronize() {}

  @Override
  public final CpuBuffer allocate(ElementType type, long length, String purpose) {
    assert length >= 1 : purpose + " has length " + length;
    if (closed) {
      throw new IllegalStateException("backend \"cpu\" is closed");
    }
    return newBuffer(type, length, purpose);
  }

  @Override
  public final DeviceKernel compile(Kernel kernel, CellSpec cell) {
    boolean ofCell = kernel == Kernel.CELL_FORWARD || kernel == Kernel.CELL_BACKWARD;
    assert ofCell == (cell != null) : kernel + " with cell " + cell;
    return kernel(kernel, cell);
  }

  /** Stops the threads; a second call does nothing. */
  @Override
  public final void close() {
    if (closed) {
      return;
    }
    closed = true;
    stop();
    ledger.requireEmpty(name());
  }
}
