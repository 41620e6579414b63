package io.unroll.device.reference;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.Precision;

/** Offers the float64 reference to {@link Backend#open}; never chosen automatically. */
public final class ReferenceProvider implements Backend.Provider {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public int rank() {
    return 100;
  }

  @Override
  public boolean automatic() {
    return false;
  }

  @Override
  public Backend.Availability probe() {
    return new Backend.Availability(name(), true, ReferenceDevice.DESCRIPTION);
  }

  @Override
  public Backend open(String selector, BackendOptions options) {
    if (!selector.equals(name())) {
      throw new BackendUnavailableException(
          "backend \""
              + selector
              + "\" is unavailable: there is one reference; open \"reference\"");
    }
    if (options.precision() != null && options.precision() != Precision.FP64) {
      throw new BackendUnavailableException(
          "backend \"reference\" is unavailable in "
              + options.precision()
              + ": it computes in FP64 only; leave the precision out");
    }
    return new ReferenceDevice();
  }
}
