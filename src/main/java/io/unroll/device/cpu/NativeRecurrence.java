package io.unroll.device.cpu;

import io.unroll.device.FusedRecurrence;
import io.unroll.device.RecurrentCall;

/** All steps of a recurrence of one cell in one native call. */
final class NativeRecurrence implements FusedRecurrence {
  /** Fields of {@code Recurrence} in native/cpu/isa.h. */
  private static final int FIELDS = 22;

  private final NativeDevice device;
  private final int cell;
  private final NativeBlock block = new NativeBlock(FIELDS);

  /**
   * @param cell its number in the native library
   */
  NativeRecurrence(NativeDevice device, int cell) {
    this.device = device;
    this.cell = cell;
  }

  @Override
  public void forward(RecurrentCall call) {
    run(call, false);
  }

  @Override
  public void backward(RecurrentCall call) {
    run(call, true);
  }

  /** Writes the fields in the order of their declaration. */
  private void run(RecurrentCall call, boolean backward) {
    block.clear().add(cell);
    block.add(call.steps).add(call.batch).add(call.hiddenSize).add(call.reverse ? 1 : 0);
    block.add(NativeBuffer.integers(call.lengths, call.lengthsAt));
    block.add(NativeBuffer.integers(call.resets, call.resetsAt));
    block.add(NativeBuffer.reals(call.zx, call.zxAt));
    block.add(NativeBuffer.reals(call.weightHh, call.weightHhAt));
    block.add(NativeBuffer.reals(call.biasIh, call.biasIhAt));
    block.add(NativeBuffer.reals(call.biasHh, call.biasHhAt));
    block.add(NativeBuffer.reals(call.unit, call.unitAt));
    block.add(NativeBuffer.reals(call.states, call.statesAt));
    block.add(NativeBuffer.reals(call.keep, call.keepAt));
    block.add(NativeBuffer.reals(call.y, call.yAt));
    addGradients(call, backward);
    block.add(call.ldY).add(call.ldDy);
    Native.recurrence(device.handle(), backward, block.address());
  }

  /** Forward neither needs them nor may touch them: they are those of the latest backward. */
  private void addGradients(RecurrentCall call, boolean backward) {
    if (!backward) {
      block.add(0).add(0).add(0).add(0).add(0);
      return;
    }
    block.add(NativeBuffer.reals(call.ds, call.dsAt));
    block.add(NativeBuffer.reals(call.dUnit, call.dUnitAt));
    block.add(NativeBuffer.reals(call.dy, call.dyAt));
    block.add(NativeBuffer.reals(call.dzx, call.dzxAt));
    block.add(NativeBuffer.reals(call.dzh, call.dzhAt));
  }
}
