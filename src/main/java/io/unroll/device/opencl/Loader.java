package io.unroll.device.opencl;

import io.unroll.device.PrivateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.APIUtil;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.FunctionProviderLocal;
import org.lwjgl.system.Library;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.SharedLibrary;

/**
 * Loads LWJGL, and by it the library that knows the drivers of this machine. {@code
 * -Dunroll.opencl.library=FILE} names that library; else it is the one of the system.
 */
final class Loader {
  static final String PROPERTY = "unroll.opencl.library";

  /** From this release on LWJGL has a way to read memory of which Java does not warn. */
  private static final int SILENT_FROM = 25;

  private static final String CURE =
      "install the driver of your GPU and the OpenCL loader (Debian: apt-get install"
          + " ocl-icd-libopencl1)";

  private Loader() {}

  /** Loads both and asks every driver for its devices. */
  static Installation load() {
    if (Runtime.version().feature() >= SILENT_FROM && Configuration.MEMORY_BACKEND.get() == null) {
      Configuration.MEMORY_BACKEND.set("ffm");
    }
    if (Configuration.SHARED_LIBRARY_EXTRACT_PATH.get() != null) {
      loadOpenCl();
    } else {
      try (PrivateFolder folder = PrivateFolder.create("unroll-lwjgl-")) {
        // By itself LWJGL would load what it finds below a name that anyone can guess.
        Configuration.SHARED_LIBRARY_EXTRACT_PATH.set(folder.path().toString());
        loadOpenCl();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (CL.getICD().clEnqueueFillBuffer == 0) {
      return Installation.missing(
          "the OpenCL loader is older than OpenCL 1.2; update it, or " + CURE);
    }
    return devices();
  }

  /** The functions of the loader; those of extensions are not asked for. */
  private record Functions(SharedLibrary library) implements FunctionProviderLocal {
    @Override
    public long getFunctionAddress(ByteBuffer name) {
      return library.getFunctionAddress(name);
    }

    @Override
    public long getFunctionAddress(long handle, ByteBuffer name) {
      return MemoryUtil.NULL;
    }
  }

  private static void loadOpenCl() {
    Configuration.OPENCL_EXPLICIT_INIT.set(true);
    // First LWJGL's own natives, so that their absence is not taken for that of the loader.
    Library.initialize();
    List<String> names = names();
    Throwable cause = null;
    for (String name : names) {
      try {
        // CL.create(name) would print to stderr that there is no such library.
        CL.create(new Functions(APIUtil.apiCreateLibrary(name)));
        return;
      } catch (UnsatisfiedLinkError e) {
        cause = e;
      }
    }
    throw new Installation.NoLoaderException(
        System.getProperty(PROPERTY) != null
            ? "-D%s=%s cannot be loaded: %s".formatted(PROPERTY, names.get(0), cause.getMessage())
            : "there is no OpenCL loader (%s) on this machine; %s"
                .formatted(String.join(", ", names), CURE),
        cause);
  }

  private static List<String> names() {
    String given = System.getProperty(PROPERTY);
    if (given != null) {
      return List.of(given);
    }
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.startsWith("windows")) {
      return List.of("OpenCL.dll");
    }
    return system.startsWith("mac")
        ? List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL")
        : List.of("libOpenCL.so.1", "libOpenCL.so");
  }

  private static Installation devices() {
    List<Hardware> devices = new ArrayList<>();
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long count = stack.ncalloc(Integer.BYTES, Integer.BYTES, 1);
      int code = CL10.nclGetPlatformIDs(0, 0, count);
      int platformCount = MemoryUtil.memGetInt(count);
      if (code == ReturnCode.PLATFORM_NOT_FOUND || (code == 0 && platformCount == 0)) {
        return Installation.missing(
            "the OpenCL loader is installed, but no driver; install that of your GPU");
      }
      ReturnCode.require(code, "clGetPlatformIDs");
      PointerBuffer platforms = stack.mallocPointer(platformCount);
      ReturnCode.require(
          CL10.nclGetPlatformIDs(platformCount, platforms.address(), 0), "clGetPlatformIDs");
      for (int i = 0; i < platformCount; i++) {
        addDevices(platforms.get(i), devices);
      }
    }
    return Installation.of(devices);
  }

  private static void addDevices(long platform, List<Hardware> devices) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long count = stack.ncalloc(Integer.BYTES, Integer.BYTES, 1);
      int code = CL10.nclGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, 0, 0, count);
      if (code == ReturnCode.DEVICE_NOT_FOUND) {
        return;
      }
      ReturnCode.require(code, "clGetDeviceIDs");
      PointerBuffer found = stack.mallocPointer(MemoryUtil.memGetInt(count));
      ReturnCode.require(
          CL10.nclGetDeviceIDs(
              platform, CL10.CL_DEVICE_TYPE_ALL, found.remaining(), found.address(), 0),
          "clGetDeviceIDs");
      for (int i = 0; i < found.remaining(); i++) {
        devices.add(Hardware.of(platform, found.get(i)));
      }
    }
  }
}
