package io.unroll.engine;

/** How the time loop of a recurrence is run. */
public enum Schedule {
  /** One matrix product and one cell kernel per step; runs on every device and at every size. */
  STEPWISE,
  /** All steps in one call of the device, with the weights kept close to the arithmetic. */
  FUSED
}
