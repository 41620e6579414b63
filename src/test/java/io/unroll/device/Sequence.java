package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertNull;

import io.unroll.CellSpec;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;

/** A sequence on a device, filled from a seed that depends on its sizes alone. */
final class Sequence implements AutoCloseable {
  final Device device;
  final RecurrentCall call = new RecurrentCall();
  final Guarded zx;
  final Guarded weight;
  final Guarded biasIh;
  final Guarded biasHh;
  final Guarded unit;
  final Guarded states;
  final Guarded keep;
  final Guarded y;
  final Guarded ds;
  final Guarded dUnit;
  final Guarded dy;
  final Guarded dzx;
  final Guarded dzh;
  int[] lengths;
  int[] resets;

  /** Without resets. */
  Sequence(Device device, CellSpec cell, int[] sizes, boolean reverse, boolean ragged) {
    this(device, cell, sizes, reverse, ragged, false);
  }

  /**
   * @param ragged whether rows differ in length
   * @param packed whether rows begin anew in some steps, also in first ones and past the length
   */
  Sequence(
      Device device, CellSpec cell, int[] sizes, boolean reverse, boolean ragged, boolean packed) {
    this.device = device;
    int steps = sizes[0];
    int batch = sizes[1];
    int hidden = sizes[2];
    int gates = cell.gateCount();
    Random random = new Random(Arrays.hashCode(sizes));
    int rows = steps * batch;
    int ld = hidden + 2;
    zx = Guarded.random(device, rows * gates * hidden, random);
    // As small as at the start of a training, so that a rounding does not grow from step to step.
    float small = (float) Math.sqrt(1.0 / hidden);
    weight = Guarded.random(device, gates * hidden * hidden, random, small);
    biasIh = Guarded.random(device, gates * hidden, random);
    biasHh = Guarded.random(device, gates * hidden, random);
    states = Guarded.random(device, cell.stateCount() * (steps + 1) * batch * hidden, random);
    keep = Guarded.random(device, rows * cell.reserved() * hidden, random);
    y = Guarded.random(device, rows * ld, random);
    ds = Guarded.random(device, cell.stateCount() * batch * hidden, random);
    dy = Guarded.random(device, rows * ld, random);
    dzx = Guarded.random(device, rows * gates * hidden, random);
    unit = Guarded.random(device, cell.unitWeightCount() * hidden, random, small);
    dUnit = Guarded.random(device, batch * cell.unitWeightCount() * hidden, random);
    dzh = cell.inputAndRecurrentAdd() ? dzx : Guarded.random(device, rows * gates * hidden, random);
    call.cell = cell;
    call.steps = steps;
    call.batch = batch;
    call.hiddenSize = hidden;
    call.reverse = reverse;
    if (ragged) {
      lengths = random.ints(batch, 0, steps + 1).toArray();
      call.lengths = integers(lengths, "lengths");
    }
    if (packed) {
      resets = random.ints(rows + 1, 0, 2).toArray();
      call.resets = integers(resets, "resets");
      call.resetsAt = 1;
    }
    call.zx = zx.buffer;
    call.weightHh = weight.buffer;
    call.biasIh = biasIh.buffer;
    call.biasHh = biasHh.buffer;
    call.unit = cell.unitWeightCount() == 0 ? null : unit.buffer;
    call.states = states.buffer;
    call.keep = cell.reserved() == 0 ? null : keep.buffer;
    call.y = y.buffer;
    call.ds = ds.buffer;
    call.dUnit = cell.unitWeightCount() == 0 ? null : dUnit.buffer;
    call.dy = dy.buffer;
    call.dzx = dzx.buffer;
    call.dzh = dzh.buffer;
    call.zxAt = call.weightHhAt = call.biasIhAt = call.biasHhAt = call.statesAt = Guarded.GUARDS;
    call.keepAt = call.yAt = call.dsAt = call.dyAt = call.dzxAt = call.dzhAt = Guarded.GUARDS;
    call.unitAt = call.dUnitAt = Guarded.GUARDS;
    call.ldY = call.ldDy = ld;
  }

  private DeviceBuffer integers(int[] values, String purpose) {
    DeviceBuffer buffer = device.allocate(ElementType.INT, values.length, purpose);
    device.copyIn(values, 0, buffer, 0, values.length);
    return buffer;
  }

  /** Whether the device may run it only in a way that does not fit. */
  boolean isRefused() {
    return device.fusedRecurrence(call.cell, call.steps, call.batch, call.hiddenSize).recurrence()
        == null;
  }

  FusedRecurrence recurrence() {
    FusedRecurrence.Offer offer =
        device.fusedRecurrence(call.cell, call.steps, call.batch, call.hiddenSize);
    assertNull(offer.refusal());
    return offer.recurrence();
  }

  void fused() {
    recurrence().forward(call);
    recurrence().backward(call);
  }

  void stepwise() {
    int width = call.cell.gateCount() * call.hiddenSize;
    try (Guarded zh = Guarded.filled(device, call.batch * width, Float.NaN);
        Guarded sent = Guarded.filled(device, call.batch * width, Float.NaN)) {
      for (int k = 0; k < call.steps; k++) {
        forwardStep(call.time(k), width, zh);
      }
      for (int k = call.steps - 1; k >= 0; k--) {
        backwardStep(call.time(k), width, sent);
      }
      zh.values();
      sent.values();
    }
  }

  private void forwardStep(int t, int width, Guarded zh) {
    int h = call.hiddenSize;
    device.gemm(
        false,
        true,
        call.batch,
        width,
        h,
        call.states,
        call.previousAt(t),
        h,
        call.weightHh,
        call.weightHhAt,
        h,
        0,
        zh.buffer,
        Guarded.GUARDS,
        width);
    KernelArgs args = new KernelArgs();
    args.buffer(call.zx, call.zxAt + (long) t * call.batch * width);
    zh.addTo(args);
    args.buffer(call.biasIh, call.biasIhAt).buffer(call.biasHh, call.biasHhAt);
    args.buffer(call.unit, call.unitAt);
    args.buffer(call.lengths, call.lengthsAt).buffer(call.resets, call.resetsAt(t));
    args.buffer(call.states, call.previousAt(t)).buffer(call.states, call.nextAt(t));
    args.buffer(call.keep, call.keepAt + (long) t * call.batch * call.cell.reserved() * h);
    args.buffer(call.y, call.yAt + (long) t * call.batch * call.ldY);
    args.i32(call.batch).i32(h).i64(call.stateStride()).i32(call.ldY).i32(t);
    device.launch(device.compile(Kernel.CELL_FORWARD, call.cell), (long) call.batch * h, args);
  }

  private void backwardStep(int t, int width, Guarded sent) {
    int h = call.hiddenSize;
    KernelArgs args = new KernelArgs();
    args.buffer(call.keep, call.keepAt + (long) t * call.batch * call.cell.reserved() * h);
    args.buffer(call.unit, call.unitAt);
    args.buffer(call.lengths, call.lengthsAt).buffer(call.resets, call.resetsAt(t));
    args.buffer(call.states, call.previousAt(t)).buffer(call.states, call.nextAt(t));
    args.buffer(call.ds, call.dsAt);
    args.buffer(call.dUnit, call.dUnitAt);
    args.buffer(call.dy, call.dyAt + (long) t * call.batch * call.ldDy);
    long product = (long) t * call.batch * width;
    args.buffer(call.dzx, call.dzxAt + product).buffer(call.dzh, call.dzhAt + product);
    args.i32(call.batch).i32(h).i64(call.stateStride()).i32(call.ldDy).i32(t);
    device.launch(device.compile(Kernel.CELL_BACKWARD, call.cell), (long) call.batch * h, args);
    if (resets != null) {
      args.clear().buffer(call.dzh, call.dzhAt + product).buffer(call.resets, call.resetsAt(t));
      sent.addTo(args).i32(width);
      device.launch(device.compile(Kernel.MASK_ROWS, null), (long) call.batch * width, args);
    }
    device.gemm(
        false,
        false,
        call.batch,
        h,
        width,
        resets == null ? call.dzh : sent.buffer,
        resets == null ? call.dzhAt + product : Guarded.GUARDS,
        width,
        call.weightHh,
        call.weightHhAt,
        h,
        1,
        call.ds,
        call.dsAt,
        h);
  }

  /** All that a call writes; checks the guards. */
  float[][] results() {
    return Stream.of(states, keep, y, ds, dzx, dzh, dUnit)
        .map(Guarded::values)
        .toArray(float[][]::new);
  }

  /** Frees its buffers; the device stays open. */
  @Override
  public void close() {
    Stream.of(zx, weight, biasIh, biasHh, unit, states, keep, y, ds, dy, dzx, dzh, dUnit)
        .forEach(Guarded::close);
    Stream.of(call.lengths, call.resets).filter(Objects::nonNull).forEach(DeviceBuffer::close);
  }
}
