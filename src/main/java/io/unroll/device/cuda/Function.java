package io.unroll.device.cuda;

import jcuda.driver.CUfunction;

/** An entry of a loaded module, whose address tells it from others. */
final class Function extends CUfunction {
  /** The driver's handle; 0 before it is asked for. */
  long address() {
    return getNativePointer();
  }
}
