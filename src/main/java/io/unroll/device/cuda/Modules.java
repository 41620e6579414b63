package io.unroll.device.cuda;

import io.unroll.DeviceException;
import io.unroll.device.GpuEntry;
import io.unroll.device.Kernel;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** The modules and kernels of an opened device, each loaded when it is first asked for. */
final class Modules implements AutoCloseable {
  private final CommandStream stream;
  private final int lanes;
  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<Ready, CudaKernel> kernels = new HashMap<>();

  /** An entry may be one of the contract and be launched by groups as well. */
  private record Ready(GpuEntry entry, Kernel kernel) {}

  /**
   * Loads nothing yet.
   *
   * @param lanes of a group whose entry does not choose them
   */
  Modules(CommandStream stream, int lanes) {
    this.stream = stream;
    this.lanes = lanes;
  }

  /**
   * An entry, ready to be launched.
   *
   * @param kernel which of the contract it is, or null
   * @param label its name in messages and profiles
   * @throws DeviceException if this build does not have it, or the driver does not take it; the
   *     backend stays usable
   */
  CudaKernel kernel(GpuEntry entry, Kernel kernel, String label) {
    stream.requireUsable();
    CudaKernel known = kernels.get(new Ready(entry, kernel));
    if (known == null) {
      String key = Images.key(entry);
      CUmodule module = modules.get(key);
      if (module == null) {
        module = load(key);
        modules.put(key, module);
      }
      Function handle = new Function();
      ReturnCode.require(
          JCudaDriver.cuModuleGetFunction(handle, module, entry.name()),
          "cuModuleGetFunction of " + entry.name() + " in " + key);
      known = new CudaKernel(handle, kernel, label, entry.lanes(lanes), entry.groupMemory());
      known.allowGroupMemory();
      kernels.put(new Ready(entry, kernel), known);
    }
    return known;
  }

  private CUmodule load(String key) {
    byte[] image = Images.load(key);
    if (image == null) {
      throw new DeviceException(
          "this build of Unroll has no module %s for CUDA; kernels/cuda/modules.txt lists them"
              .formatted(key));
    }
    CUmodule module = new CUmodule();
    Faults.requireLoaded(JCudaDriver.cuModuleLoadData(module, image), key, stream.hardware());
    return module;
  }

  /** Unloads all modules; the context must be current, and after a failure goes with them. */
  @Override
  public void close() {
    modules.values().forEach(JCudaDriver::cuModuleUnload);
    kernels.clear();
    modules.clear();
  }
}
