import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;

/**
 * Runs a kernel through unchanged JCuda on the simulated driver, at once and from a captured graph.
 * The argument is the image of module {@code elements}; exits 1 if anything is not as it must be.
 */
final class JcudaSmoke {
  private static final int SIZE = 1000;

  public static void main(String[] arguments) throws Exception {
    setExceptionsEnabled(true);
    cuInit(0);
    CUdevice device = new CUdevice();
    cuDeviceGet(device, 0);
    byte[] name = new byte[64];
    cuDeviceGetName(name, name.length, device);
    CUcontext context = new CUcontext();
    cuDevicePrimaryCtxRetain(context, device);
    cuCtxSetCurrent(context);
    CUmodule module = new CUmodule();
    cuModuleLoadData(module, Files.readAllBytes(Path.of(arguments[0])));
    CUfunction tanh = new CUfunction();
    cuModuleGetFunction(tanh, module, "tanh_forward_kernel");
    run(tanh);
    expectException();
    cuModuleUnload(module);
    cuDevicePrimaryCtxRelease(device);
    System.out.println("JCuda runs on \"" + new String(name, "US-ASCII").trim() + "\"");
  }

  private static void run(CUfunction tanh) {
    CUstream stream = new CUstream();
    cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
    Pointer pinned = new Pointer();
    cuMemHostAlloc(pinned, 4L * SIZE, 0);
    ByteBuffer host = pinned.getByteBuffer(0, 4L * SIZE).order(ByteOrder.nativeOrder());
    for (int i = 0; i < SIZE; i++) {
      host.putFloat(4 * i, (i - 500) / 100f);
    }
    CUdeviceptr x = new CUdeviceptr();
    CUdeviceptr y = new CUdeviceptr();
    cuMemAlloc(x, 4L * SIZE);
    cuMemAlloc(y, 4L * SIZE);
    cuMemcpyHtoDAsync(x, pinned, 4L * SIZE, stream);
    launch(tanh, x, y, stream);
    float[] once = new float[SIZE];
    cuStreamSynchronize(stream);
    cuMemcpyDtoH(Pointer.to(once), y, 4L * SIZE);
    float[] twice = replay(tanh, x, y, pinned, stream);
    for (int i = 0; i < SIZE; i++) {
      double exact = Math.tanh((i - 500) / 100f);
      if (!(Math.abs(once[i] - exact) < 1e-6) || !(Math.abs(twice[i] - Math.tanh(exact)) < 1e-6)) {
        throw new AssertionError(i + ": " + once[i] + " and " + twice[i] + " for tanh " + exact);
      }
    }
    cuMemFree(x);
    cuMemFree(y);
    cuMemFreeHost(pinned);
    cuStreamDestroy(stream);
  }

  /** x = tanh(x), y = tanh(x), captured; then replayed once. */
  private static float[] replay(
      CUfunction tanh, CUdeviceptr x, CUdeviceptr y, Pointer pinned, CUstream stream) {
    cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL);
    launch(tanh, x, x, stream);
    launch(tanh, x, y, stream);
    cuMemcpyDtoHAsync(pinned, y, 4L * SIZE, stream);
    CUgraph graph = new CUgraph();
    cuStreamEndCapture(stream, graph);
    CUgraphExec exec = new CUgraphExec();
    cuGraphInstantiate(exec, graph, 0);
    cuGraphLaunch(exec, stream);
    cuStreamSynchronize(stream);
    float[] result = new float[SIZE];
    pinned.getByteBuffer(0, 4L * SIZE).order(ByteOrder.nativeOrder()).asFloatBuffer().get(result);
    cuGraphExecDestroy(exec);
    cuGraphDestroy(graph);
    return result;
  }

  private static void launch(CUfunction tanh, CUdeviceptr x, CUdeviceptr y, CUstream stream) {
    Pointer parameters =
        Pointer.to(Pointer.to(x), Pointer.to(y), Pointer.to(new long[] {SIZE}));
    cuLaunchKernel(tanh, 2, 1, 1, 256, 1, 1, 0, stream, parameters, null);
  }

  private static void expectException() {
    try {
      cuMemAlloc(new CUdeviceptr(), 1L << 50);
    } catch (CudaException expected) {
      if (expected.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY")) {
        return;
      }
      throw expected;
    }
    throw new AssertionError("a petabyte was allocated");
  }
}
