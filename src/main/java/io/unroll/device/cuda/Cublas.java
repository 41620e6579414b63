package io.unroll.device.cuda;

import io.unroll.DeviceException;
import io.unroll.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products of an opened device by cuBLAS, in the order of its commands. It has one stream
 * and one scratch, which makes the same product give the same bits.
 */
final class Cublas implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(Cublas.class.getName());

  private static final long MIB = 1 << 20;

  /** More than the operands of a training step have addresses. */
  private static final int ADDRESSES = 1024;

  /** A place in the device's memory. */
  private static final class Address extends Pointer {
    final long value;

    Address(long value) {
      super(value);
      this.value = value;
    }
  }

  private final CommandStream stream;
  private final cublasHandle handle = new cublasHandle();
  private final int compute;
  private final long scratchBytes;
  private final Pointer zero = constant(0);
  private final Pointer one = constant(1);

  /** By a part of the value: a step has the same ones again, and makes no object. */
  private final Address[] addresses = new Address[ADDRESSES];

  private final CommandStream.Foreign product = this::queue;
  private final long[] arguments = new long[13];
  private long scratchSet;
  private boolean isStarted;

  private Cublas(CommandStream stream, Precision precision) {
    this.stream = stream;
    compute = computeType(precision);
    scratchBytes = scratchBytes(stream.hardware().major());
  }

  /**
   * On a device.
   *
   * @return null where there is no cuBLAS, which {@link CublasLibrary#describe} explains, or where
   *     it does not work, which is logged
   */
  static Cublas open(CommandStream stream, Precision precision) {
    CublasLibrary library = CublasLibrary.found();
    if (!library.isThere()) {
      return null;
    }
    stream.requireUsable();
    Cublas opened = new Cublas(stream, precision);
    try {
      opened.start();
      return opened;
    } catch (DeviceException e) {
      opened.close();
      LOGGER.log(
          System.Logger.Level.WARNING,
          "cuBLAS {0} ({1}) does not work on {2}: {3}. Unroll''s own kernels do matrix products.",
          library.version(),
          library.place(),
          stream.hardware().describe(),
          e.getMessage());
      return null;
    }
  }

  private void start() {
    CublasLibrary.require(JCublas2.cublasCreate(handle), "cublasCreate");
    isStarted = true;
    CublasLibrary.require(
        JCublas2.cublasSetStream(handle, new cudaStream_t(stream.handle())), "cublasSetStream");
  }

  /** In FP32 never TF32, whatever the GPU has. */
  private static int computeType(Precision precision) {
    return switch (precision) {
      case FP32 -> cublasComputeType.CUBLAS_COMPUTE_32F;
      case TF32 -> cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32;
      case BF16 -> cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16BF;
      case FP64 -> throw new IllegalArgumentException("no GPU's backend computes in " + precision);
    };
  }

  /** What NVIDIA recommends at cublasSetWorkspace. */
  private static long scratchBytes(int major) {
    return switch (major) {
      case 9, 10 -> 32 * MIB;
      case 12 -> 12 * MIB;
      default -> 4 * MIB;
    };
  }

  private static Pointer constant(float value) {
    FloatBuffer memory =
        ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    return Pointer.to(memory.put(0, value));
  }

  /** Reals of scratch that a product wants. */
  long scratch() {
    return scratchBytes / Float.BYTES;
  }

  /**
   * Queues a product of matrices that lie row by row; the parameters of {@link
   * io.unroll.device.Device#gemm}, but addresses.
   */
  void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      long a,
      int lda,
      long b,
      int ldb,
      double beta,
      long c,
      int ldc,
      long scratch) {
    // To cuBLAS, which reads column by column, every matrix is its transpose, so it computes
    // transposed(C) [n, m] = transposed(op(B)) transposed(op(A)).
    arguments[0] = transposeB ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    arguments[1] = transposeA ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    arguments[2] = n;
    arguments[3] = m;
    arguments[4] = k;
    arguments[5] = b;
    arguments[6] = stride(ldb, transposeB ? k : n);
    arguments[7] = a;
    arguments[8] = stride(lda, transposeA ? m : k);
    arguments[9] = beta == 0 ? 0 : 1;
    arguments[10] = c;
    arguments[11] = stride(ldc, n);
    arguments[12] = scratch;
    stream.foreign("gemm by cuBLAS", arguments, product);
  }

  /** A matrix of one row may have any, of which cuBLAS knows nothing. */
  private static int stride(int ld, int columns) {
    return Math.max(ld, columns);
  }

  private void queue(long[] of) {
    if (scratchSet != of[12]) {
      check(
          JCublas2.cublasSetWorkspace(handle, address(of[12]), scratchBytes), "cublasSetWorkspace");
      scratchSet = of[12];
    }
    check(
        JCublas2.cublasGemmEx_new(
            handle,
            (int) of[0],
            (int) of[1],
            (int) of[2],
            (int) of[3],
            (int) of[4],
            one,
            address(of[5]),
            cudaDataType.CUDA_R_32F,
            (int) of[6],
            address(of[7]),
            cudaDataType.CUDA_R_32F,
            (int) of[8],
            of[9] == 0 ? zero : one,
            address(of[10]),
            cudaDataType.CUDA_R_32F,
            (int) of[11],
            compute,
            cublasGemmAlgo.CUBLAS_GEMM_DEFAULT),
        "cublasGemmEx");
  }

  private void check(int code, String call) {
    if (code != CublasLibrary.SUCCESS) {
      throw stream.fail(
          CublasLibrary.name(code),
          "%s of cuBLAS %s, which -D%s=false replaces,"
              .formatted(call, CublasLibrary.found().version(), CublasLibrary.PROPERTY));
    }
  }

  private Address address(long value) {
    int place = Long.hashCode(value * 0x9e37_79b9_7f4a_7c15L) >>> 22;
    Address known = addresses[place];
    if (known == null || known.value != value) {
      known = new Address(value);
      addresses[place] = known;
    }
    return known;
  }

  /** Gives back what cuBLAS holds; the context must be current, and nothing be under way. */
  @Override
  public void close() {
    if (!isStarted) {
      return; // a handle that could not be created holds anything
    }
    isStarted = false;
    int code = JCublas2.cublasDestroy(handle);
    if (code != CublasLibrary.SUCCESS) {
      LOGGER.log(System.Logger.Level.WARNING, "cublasDestroy returned " + CublasLibrary.name(code));
    }
  }
}
