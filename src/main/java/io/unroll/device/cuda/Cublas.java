package io.unroll.device.cuda;

import io.unroll.DeviceException;
import io.unroll.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUstream;
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
final class Cublas implements ForeignWork, AutoCloseable {
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

  private final long[] words = new long[13];
  private CUstream streamSet;
  private long scratchSet;
  private boolean isCreated;

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
    int code = JCublas2.cublasCreate(opened.handle);
    if (code != CublasLibrary.SUCCESS) {
      LOGGER.log(
          System.Logger.Level.WARNING,
          "cuBLAS {0} ({1}) does not work on {2}: cublasCreate returned {3}. Unroll''s own kernels"
              + " do matrix products.",
          library.version(),
          library.place(),
          stream.hardware().describe(),
          CublasLibrary.name(code));
      return null;
    }
    opened.isCreated = true;
    return opened;
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
    words[0] = transposeB ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    words[1] = transposeA ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    words[2] = n;
    words[3] = m;
    words[4] = k;
    words[5] = b;
    words[6] = stride(ldb, transposeB ? n : k, transposeB ? k : n);
    words[7] = a;
    words[8] = stride(lda, transposeA ? k : m, transposeA ? m : k);
    words[9] = beta == 0 ? 0 : 1;
    words[10] = c;
    words[11] = stride(ldc, m, n);
    words[12] = scratch;
    stream.foreign(this, words, words.length);
  }

  /** That of a matrix of one row says nothing, but cuBLAS looks at it. */
  private static int stride(int ld, int rows, int columns) {
    return rows == 1 ? columns : ld;
  }

  @Override
  public String name() {
    return "gemm by cuBLAS";
  }

  @Override
  public void issue(CUstream queue, long[] of, int from) {
    if (!queue.equals(streamSet)) {
      check(JCublas2.cublasSetStream(handle, new cudaStream_t(queue)), "cublasSetStream");
      streamSet = queue;
      scratchSet = 0; // which the call before has taken away
    }
    if (scratchSet != of[from + 12]) {
      scratchSet = of[from + 12];
      check(
          JCublas2.cublasSetWorkspace(handle, address(scratchSet), scratchBytes),
          "cublasSetWorkspace");
    }
    check(
        JCublas2.cublasGemmEx_new(
            handle,
            (int) of[from],
            (int) of[from + 1],
            (int) of[from + 2],
            (int) of[from + 3],
            (int) of[from + 4],
            one,
            address(of[from + 5]),
            cudaDataType.CUDA_R_32F,
            (int) of[from + 6],
            address(of[from + 7]),
            cudaDataType.CUDA_R_32F,
            (int) of[from + 8],
            of[from + 9] == 0 ? zero : one,
            address(of[from + 10]),
            cudaDataType.CUDA_R_32F,
            (int) of[from + 11],
            compute,
            cublasGemmAlgo.CUBLAS_GEMM_DEFAULT),
        "cublasGemmEx");
  }

  private void check(int code, String call) {
    if (code != CublasLibrary.SUCCESS) {
      throw new DeviceException(
          "%s of cuBLAS %s returned %s on %s; -D%s=false does without cuBLAS"
              .formatted(
                  call,
                  CublasLibrary.found().version(),
                  CublasLibrary.name(code),
                  stream.hardware().name(),
                  CublasLibrary.PROPERTY));
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
    if (!isCreated) {
      return; // a handle that could not be created holds anything
    }
    isCreated = false;
    int code = JCublas2.cublasDestroy(handle);
    if (code != CublasLibrary.SUCCESS) {
      LOGGER.log(System.Logger.Level.WARNING, "cublasDestroy returned " + CublasLibrary.name(code));
    }
  }
}
